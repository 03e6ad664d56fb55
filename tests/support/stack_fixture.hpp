// The ground of end-to-end tests: a project directory, the real `stack`, directories of its own in
// the place of /var/lib/stack and /run/stack, and a look at the host before and after. A test that
// leaves anything behind fails.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "runtime/os/file.hpp"
#include "tests/support/command.hpp"
#include "tests/support/host_snapshot.hpp"
#include "tests/support/http.hpp"

namespace support {

/// The image of the tests: busybox, the probe, and `probe serve` as command.
inline const std::string kImage = "test";

class StackTest : public ::testing::Test {
 protected:
  StackTest();
  void SetUp() override;
  void TearDown() override;

  // ---- the project
  /// The name that `stack` derives from the directory.
  const std::string& project() const { return project_; }
  const std::string& directory() const { return directory_; }
  std::string data_directory() const { return root_.path() + "/data"; }
  std::string run_directory() const { return root_.path() + "/run"; }
  /// Writes a file below the project directory.
  void write(const std::string& name, const std::string& text, mode_t mode = 0644) const;
  /// Writes compose.yaml; every `IMAGE` in it is the image of the tests.
  void manifest(const std::string& text) const;

  // ---- the command
  /// Runs `stack ARGUMENTS…` in the project directory.
  Output stack(const std::vector<std::string>& arguments, milliseconds timeout = kPatience) const;
  Output stack(const std::vector<std::string>& arguments, CommandOptions options) const;
  /// The same, and a failure of it fails the test. Returns what it wrote to standard output.
  std::string must(const std::vector<std::string>& arguments) const;
  /// Starts `stack ARGUMENTS…` and goes on.
  Command start(const std::vector<std::string>& arguments, CommandOptions options = {}) const;
  /// `stack up -d ARGUMENTS…`
  void up(const std::vector<std::string>& arguments = {}) const;
  /// `stack exec -T SERVICE probe ARGUMENTS…`: what the probe says from inside.
  Output probe(const std::string& service, const std::vector<std::string>& arguments) const;
  /// The same, must succeed; its standard output.
  std::string ask(const std::string& service, const std::vector<std::string>& arguments) const;

  // ---- what there is
  /// `stack ps --all --format json`, sorted by name.
  std::vector<nlohmann::json> containers() const;
  /// The container SERVICE of that number; a null value when there is none.
  nlohmann::json container(const std::string& service, int number = 1) const;
  /// Its state ("running", "exited"…), "" when there is none.
  std::string state(const std::string& service, int number = 1) const;
  std::string id(const std::string& service, int number = 1) const;
  /// What the container's monitor has written down about it.
  nlohmann::json state_record(const std::string& service, int number = 1) const;
  /// What is written down about it for good: its model, its labels, how it last ended.
  nlohmann::json record(const std::string& service, int number = 1) const;
  /// The process that is PID 1 of the container, as the host numbers it.
  pid_t init_pid(const std::string& service, int number = 1) const;
  /// The same where the container may be between two runs: absent then.
  std::optional<pid_t> find_init_pid(const std::string& service, int number = 1) const;
  pid_t monitor_pid(const std::string& service, int number = 1) const;
  /// The supervisor of this project; nothing when none runs.
  std::optional<pid_t> supervisor_pid() const;
  /// The host's port for a container's port.
  int published_port(const std::string& service, int target) const;
  /// Log lines of one service, without prefix.
  std::string logs(const std::string& service) const;

  /// Where the next command finds its environment changed.
  std::map<std::string, std::string>& environment() { return environment_; }
  /// Fails the test when something of a stack is left on the host or in its directories.
  void expect_nothing_left();

 private:
  CommandOptions with_defaults(CommandOptions options) const;
  std::vector<std::string> leftovers() const;
  void clear_away();

  os::TempDir root_;
  std::string project_;
  std::string directory_;
  std::map<std::string, std::string> environment_;
  HostSnapshot before_;
};

/// A JSON object per line, as `--format json` prints it.
std::vector<nlohmann::json> json_lines(const std::string& text);
/// The lines of a text, without their ends.
std::vector<std::string> split_lines(const std::string& text);
/// The path of the real `stack`: the one built with the tests, or $STACK_TEST_EXECUTABLE.
std::string stack_executable();
/// The path of its `stack-runtime`.
std::string runtime_executable();
/// The image of the tests as a tar.
std::string image_file();
/// A library that makes /tmp/nss-canary where it is loaded.
std::string nss_canary();
/// The directory of the examples.
std::string examples_directory();

/// Ended with the code, shows the whole output when not.
MATCHER_P(ExitsWith, code, "exits with " + std::to_string(code)) {
  (void)result_listener;
  return !arg.timed_out && arg.code == code;
}

}  // namespace support

/// What all end-to-end tests speak of.
namespace e2e {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using support::Command;
using support::CommandOptions;
using support::ExitsWith;
using support::http_get;
using support::json_lines;
using support::Output;
using support::split_lines;
using support::wait_until;
using testing::AllOf;
using testing::AnyOf;
using testing::ContainerEq;
using testing::Contains;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::Optional;

}  // namespace e2e
