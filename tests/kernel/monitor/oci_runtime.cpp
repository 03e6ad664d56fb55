#include "oci_runtime.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace monitor_test {

std::string runtime_path() {
  const char* other = std::getenv("STACK_TEST_RUNTIME");
  return other != nullptr ? other : STACK_RUNTIME;
}

OciRuntime::~OciRuntime() {
  for (const std::string& id : os::list_directory(root())) run({"delete", "--force", id});
}

support::Output OciRuntime::run(const std::vector<std::string>& arguments,
                                const std::vector<std::string>& global) const {
  std::vector<std::string> all = {runtime_path(), "--root", root()};
  all.insert(all.end(), global.begin(), global.end());
  all.insert(all.end(), arguments.begin(), arguments.end());
  support::CommandOptions options;
  options.environment = {{"PATH", "/usr/bin:/bin"}};
  return support::run(all, options);
}

std::string OciRuntime::must(const std::vector<std::string>& arguments) const {
  const support::Output output = run(arguments);
  EXPECT_EQ(output.code, 0) << ::testing::PrintToString(arguments) << output;
  return output.out;
}

std::string OciRuntime::refused(const std::vector<std::string>& arguments) const {
  const support::Output output = run(arguments);
  EXPECT_NE(output.code, 0) << ::testing::PrintToString(arguments) << output;
  EXPECT_FALSE(output.timed_out) << ::testing::PrintToString(arguments);
  return output.err;
}

nlohmann::json OciRuntime::state(const std::string& id) const {
  const std::string text = must({"state", id});
  return nlohmann::json::parse(text, nullptr, false);
}

std::string OciRuntime::status(const std::string& id) const {
  return state(id).value("status", "");
}

bool OciRuntime::wait_for_status(const std::string& id, const std::string& status) const {
  return support::wait_until([&] { return this->status(id) == status; },
                             support::milliseconds(10'000));
}

std::string OciRuntime::output_of(const std::string& bundle, const std::string& id) const {
  const support::Output output = run({"run", "--bundle", bundle, id});
  return output.out + output.err;
}

}  // namespace monitor_test
