// A bundle made for one test, and the monitor that runs it, driven over its protocol as a
// supervisor would.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/container/spec.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/process.hpp"

namespace monitor_test {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// `sh -c SCRIPT` as arguments of a container.
std::vector<std::string> shell(const std::string& script);
/// A process for `exec`, as OCI writes it.
nlohmann::json process(std::vector<std::string> arguments);

/// A root file system of busybox alone; made once, removed with the last test.
const std::string& busybox_root();

/// A temporary directory with config.json: Docker's default container that runs `arguments`.
class Bundle {
 public:
  explicit Bundle(std::vector<std::string> arguments,
                  const std::function<void(container::Spec&)>& edit = {});
  const std::string& path() const { return directory_.path(); }
  const std::string& id() const { return id_; }
  /// Where its groups are in a hierarchy, e.g. "memory".
  std::string cgroup(const std::string& hierarchy) const;

 private:
  os::TempDir directory_;
  std::string id_;
};

struct Event {
  nlohmann::json json;
  std::vector<os::UniqueFd> fds;
  std::string name() const { return json.value("event", ""); }
};

class MonitorClient {
 public:
  explicit MonitorClient(const Bundle& bundle, const std::vector<std::string>& options = {});
  /// Kills what still runs and releases it.
  ~MonitorClient();
  MonitorClient(const MonitorClient&) = delete;
  MonitorClient& operator=(const MonitorClient&) = delete;

  void send(const nlohmann::json& request, const std::vector<int>& fds = {});
  /// The next event of one of these names; others on the way are kept in seen(). Fails the test
  /// after ten seconds.
  Event wait_for(const std::vector<std::string>& names);
  Event wait_for(const std::string& name) { return wait_for(std::vector<std::string>{name}); }
  /// Waits for "created", sends "start" and gives "started" or "failed".
  Event start();
  /// Runs to the end: the log's text without times and streams.
  std::string output();
  std::string log() const;
  nlohmann::json record() const;
  /// Starts a process in the container and waits for its end; what it printed.
  std::string exec(const nlohmann::json& process, int& code);
  /// Releases the monitor; true when it ended well and left nothing in its directory.
  bool release();
  void disconnect() { socket_.reset(); }
  void reconnect();
  const std::vector<std::string>& seen() const { return seen_; }
  pid_t pid() const { return process_.pid(); }

 private:
  os::TempDir directory_;
  std::string state_;
  os::UniqueFd socket_;
  os::Child process_;
  std::vector<std::string> seen_;
};

}  // namespace monitor_test
