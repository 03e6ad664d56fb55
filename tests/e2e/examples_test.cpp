// The example that needs nothing but busybox, as a newcomer starts it.
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class ExamplesTest : public support::StackTest {
 protected:
  void make_images(const std::string& example) {
    CommandOptions options;
    options.environment = environment();
    options.environment["STACK"] = support::stack_executable();
    ASSERT_THAT(support::run({support::examples_directory() + "/images", example}, options),
                ExitsWith(0));
  }
};

TEST_F(ExamplesTest, HelloShowsTwoServicesThatEachHaveTheirOwn) {
  make_images("hello");
  const int old_port = support::free_port(), new_port = support::free_port();
  environment()["OLD_PORT"] = std::to_string(old_port);
  environment()["NEW_PORT"] = std::to_string(new_port);
  const std::string file = support::examples_directory() + "/hello/compose.yaml";
  const std::vector<std::string> base = {"--file", file, "--project-name", project()};
  const auto with = [&](std::vector<std::string> rest) {
    rest.insert(rest.begin(), base.begin(), base.end());
    return stack(rest);
  };
  ASSERT_THAT(with({"up", "--detach", "--wait"}), ExitsWith(0));
  ASSERT_TRUE(
      wait_until([&] { return http_get("127.0.0.1", old_port) && http_get("127.0.0.1", new_port); },
                 seconds(10)));
  EXPECT_THAT(http_get("127.0.0.1", old_port),
              Optional(AllOf(HasSubstr("version 1.0"), Not(HasSubstr("2.0")))));
  EXPECT_THAT(http_get("127.0.0.1", new_port),
              Optional(AllOf(HasSubstr("version 2.0"), HasSubstr("port 80"))));
  EXPECT_THAT(with({"down", "--volumes"}), ExitsWith(0));
  expect_nothing_left();
}

TEST_F(ExamplesTest, ShopIsAValidFile) {
  const std::string file = support::examples_directory() + "/shop/compose.yaml";
  const Output output = stack({"--file", file, "config", "--format", "json"});
  ASSERT_THAT(output, ExitsWith(0));
  EXPECT_EQ(output.err, "");
  EXPECT_EQ(nlohmann::json::parse(output.out).at("services").size(), 5U);
}

}  // namespace
}  // namespace e2e
