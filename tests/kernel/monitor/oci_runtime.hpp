// `stack-runtime` as the OCI runtime that another engine calls: one command line after another,
// with a --root of its own.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "monitor_client.hpp"
#include "runtime/os/file.hpp"
#include "tests/support/command.hpp"

namespace monitor_test {

/// The program under test.
std::string runtime_path();

class OciRuntime {
 public:
  OciRuntime() : root_("/tmp", "oci-root-") {}
  /// Deletes what a test left, by force.
  ~OciRuntime();
  OciRuntime(const OciRuntime&) = delete;
  OciRuntime& operator=(const OciRuntime&) = delete;

  const std::string& root() const { return root_.path(); }
  /// `stack-runtime --root ROOT ARGUMENTS…`
  support::Output run(const std::vector<std::string>& arguments,
                      const std::vector<std::string>& global = {}) const;
  /// The same, and the test fails when it does; its standard output.
  std::string must(const std::vector<std::string>& arguments) const;
  /// The same, and the test fails when it does not; what it said.
  std::string refused(const std::vector<std::string>& arguments) const;

  nlohmann::json state(const std::string& id) const;
  std::string status(const std::string& id) const;
  bool wait_for_status(const std::string& id, const std::string& status) const;
  /// Creates, starts, waits for the end and deletes; what the container wrote.
  std::string output_of(const std::string& bundle, const std::string& id) const;

 private:
  os::TempDir root_;
};

/// A test on bundles that an OCI runtime runs.
class OciTest : public ::testing::Test {
 protected:
  /// What the script writes in a container whose bundle `edit` has changed.
  std::string output(const std::string& script,
                     const std::function<void(container::Spec&)>& edit) const {
    const Bundle bundle(shell(script), edit);
    return oci_.output_of(bundle.path(), bundle.id());
  }
  OciRuntime oci_;
};

}  // namespace monitor_test
