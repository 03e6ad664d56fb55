// SIGKILL in the middle of what changes the store: it stays whole, nothing that has a name is lost,
// and the next command goes on.
#include <random>

#include "tests/e2e/build_fixture.hpp"
#include "tests/support/registry_server.hpp"

namespace e2e {
namespace {

using support::RegistryServer;

constexpr int kTimes = 25;

class ImageKillTest : public BuildTest {
 protected:
  /// Starts the command again and again and kills it at random moments of its life.
  void kill_often(const std::vector<std::string>& arguments, const std::function<void()>& before) {
    before();
    const auto begin = std::chrono::steady_clock::now();
    must(arguments);
    const auto whole = std::chrono::steady_clock::now() - begin;
    const auto longest = std::chrono::duration_cast<std::chrono::microseconds>(whole).count();
    for (int i = 0; i < kTimes; ++i) {
      before();
      const auto delay = std::uniform_int_distribution<std::int64_t>(0, longest)(random_);
      SCOPED_TRACE("killed after " + std::to_string(delay) + " us");
      Command command = start(arguments);
      ::usleep(static_cast<useconds_t>(delay));
      command.send_signal(SIGKILL);
      command.wait();
      const Output doctor = stack({"doctor"});
      EXPECT_THAT(doctor, ExitsWith(0));
      EXPECT_THAT(doctor.out, Not(HasSubstr("problem")));
      EXPECT_EQ(id_of("test"), id_);
    }
  }
  std::string id_of(const std::string& name) const {
    return must({"image", "inspect", "--format", "{{.Id}}", name});
  }
  void SetUp() override {
    BuildTest::SetUp();
    id_ = id_of("test");
  }

  std::mt19937 random_{std::random_device{}()};
  std::string id_;
};

TEST_F(ImageKillTest, Build) {
  write("file", std::string(100'000, 'x'));
  write("Dockerfile",
        "FROM test AS a\nRUN echo one > /one\nCOPY file /a/\nFROM test\nCOPY file /b\n"
        "RUN --mount=type=cache,target=/c touch /c/x\nCOPY --from=a /one /one\nWORKDIR /w\n");
  const std::vector<std::string> command{"build", "--no-cache", "-t", "made", directory()};
  kill_often(command, [] {});
  must(command);
  expect_nothing_left();
  EXPECT_EQ(in_image("cat /one"), "one\n");
}

TEST_F(ImageKillTest, Prune) {
  write("file", "1");
  int made = 0;
  // Each takes the name from the one before.
  const auto before = [&] {
    for (int i = 0; i < 3; ++i) {
      const std::string number = std::to_string(made++);
      must_build("FROM test\nLABEL number=" + number + "\nRUN touch /x" + number + "\n",
                 {"--quiet"}, "moving");
    }
  };
  kill_often({"prune", "-f", "--filter", "until=0s"}, before);
  must({"prune", "-f"});
  EXPECT_THAT(must({"images", "-a"}), AllOf(HasSubstr("moving"), Not(HasSubstr("<none>"))));
}

TEST_F(ImageKillTest, Push) {
  ASSERT_TRUE(support::has_registry_server())
      << "docker-registry is not installed: .ci/install tests";
  RegistryServer registry;
  int number = 0;
  std::string name;
  // A repository of its own each time, or there would be nothing left to do.
  for (int i = 0; i < kTimes; ++i) {
    name = registry.host() + "/app" + std::to_string(++number) + ":1";
    must({"tag", "test", name});
    const auto delay = std::uniform_int_distribution<std::int64_t>(0, 150'000)(random_);
    SCOPED_TRACE("killed after " + std::to_string(delay) + " us");
    Command command = start({"push", name});
    ::usleep(static_cast<useconds_t>(delay));
    command.send_signal(SIGKILL);
    command.wait();
    EXPECT_THAT(must({"doctor"}), Not(HasSubstr("problem")));
    must({"push", name});
  }
  must({"rmi", name});
  must({"pull", name});
  EXPECT_EQ(id_of(name), id_);
}

TEST_F(ImageKillTest, Pull) {
  ASSERT_TRUE(support::has_registry_server())
      << "docker-registry is not installed: .ci/install tests";
  RegistryServer registry;
  const std::string name = registry.host() + "/app:1";
  must_build("FROM test\nRUN head -c 20000000 /dev/urandom > /big\n", {}, name);
  must({"push", name});
  const std::string id = id_of(name);
  kill_often({"pull", name}, [&] {
    if (stack({"image", "inspect", name}).code == 0) must({"rmi", name});
    for (const std::string& key : os::list_directory(data_directory() + "/images/cache"))
      ::unlink((data_directory() + "/images/cache/" + key).c_str());
    must({"prune", "-f"});
  });
  must({"pull", name});
  EXPECT_EQ(id_of(name), id);
}

}  // namespace
}  // namespace e2e
