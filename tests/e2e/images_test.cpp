// `import`, `load`, `images`, `rmi`: the store as the command line shows it.
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class ImagesTest : public support::StackTest {
 protected:
  // A tar of the project's directory `name`.
  std::string archive(const std::string& name) {
    const std::string path = directory() + "/" + name + ".tar";
    CommandOptions options;
    options.environment = {{"PATH", "/usr/bin:/bin"}};
    EXPECT_THAT(
        support::run({"/usr/bin/tar", "-C", directory() + "/" + name, "-cf", path, "."}, options),
        ExitsWith(0));
    return path;
  }
  Output import(const std::string& tar, std::vector<std::string> arguments) {
    CommandOptions options;
    options.input = tar;
    arguments.insert(arguments.begin(), "import");
    return stack(arguments, options);
  }
};

TEST_F(ImagesTest, ImportTakesInstructions) {
  write("tree/hello", "hello\n");
  const Output imported = import(
      archive("tree"), {"--base", "test", "--change", "ENV COLOUR=blue", "--change", "USER app",
                        "--change", "WORKDIR /home/app", "--change", R"(CMD ["probe","serve","3"])",
                        "--change", "STOPSIGNAL SIGINT", "-", "layered:1"});
  ASSERT_THAT(imported, ExitsWith(0));
  EXPECT_THAT(imported.out, HasSubstr("sha256:"));
  manifest("services: {a: {image: 'layered:1'}}\n");
  up();
  EXPECT_EQ(ask("a", {"cat", "/hello"}), "hello\n");
  EXPECT_EQ(ask("a", {"env", "COLOUR"}), "blue\n");
  EXPECT_THAT(ask("a", {"id"}), HasSubstr("uid=1000"));
  EXPECT_EQ(ask("a", {"cwd"}), "/home/app\n");
  must({"stop"});
  EXPECT_EQ(container("a").at("ExitCode"), 3);
  EXPECT_THAT(logs("a"), HasSubstr("signal 2"));
}

TEST_F(ImagesTest, AWhiteoutHidesTheBasesFile) {
  write("tree/seed/.wh.file", "");
  ASSERT_THAT(import(archive("tree"), {"--base", "test", "-", "thinner"}), ExitsWith(0));
  manifest("services: {a: {image: thinner}}\n");
  up();
  EXPECT_NE(probe("a", {"exists", "/seed/file"}).code, 0);
  EXPECT_EQ(probe("a", {"exists", "/seed/inner/file"}).code, 0);
}

TEST_F(ImagesTest, ListedForTheProject) {
  manifest("services: {a: {image: IMAGE}}\n");
  up();
  EXPECT_THAT(must({"images"}),
              AllOf(HasSubstr("REPOSITORY"), HasSubstr(project() + "-a-1"), HasSubstr("test")));
  const json listed = json::parse(must({"images", "--format", "json"}));
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].at("Repository"), "test");
  EXPECT_EQ(listed[0].at("Tag"), "latest");
}

TEST_F(ImagesTest, RemovedUnlessInUse) {
  manifest("services: {a: {image: IMAGE}}\n");
  up();
  const Output used = stack({"rmi", "test"});
  EXPECT_THAT(used, ExitsWith(1));
  EXPECT_THAT(used.err, HasSubstr(project() + "-a-1"));
  must({"down"});
  must({"rmi", "test"});
  EXPECT_THAT(stack({"up", "-d"}), ExitsWith(1));
  EXPECT_THAT(stack({"rmi", "test"}), ExitsWith(1));
}

TEST_F(ImagesTest, LoadsWhatDockerSaves) {
  // A docker-archive made by hand: manifest.json, a config and one layer.
  write("layer/greeting", "loaded\n");
  const std::string layer = archive("layer");
  CommandOptions options;
  options.environment = {{"PATH", "/usr/bin:/bin"}};
  options.working_directory = directory();
  const Output sum = support::run({"/usr/bin/sha256sum", layer}, options);
  ASSERT_THAT(sum, ExitsWith(0));
  const json config = {
      {"architecture", "amd64"},
      {"os", "linux"},
      {"config", {{"Cmd", {"/greeting"}}}},
      {"rootfs", {{"type", "layers"}, {"diff_ids", {"sha256:" + sum.out.substr(0, 64)}}}}};
  write("saved/config.json", config.dump());
  write("saved/layer.tar", os::read_file(layer));
  write("saved/manifest.json",
        json::array(
            {{{"Config", "config.json"}, {"RepoTags", {"saved:1"}}, {"Layers", {"layer.tar"}}}})
            .dump());
  const Output loaded = stack({"load", "--input", archive("saved")});
  ASSERT_THAT(loaded, ExitsWith(0));
  EXPECT_THAT(loaded.out, HasSubstr("saved:1"));
  must({"rmi", "saved:1"});
}

TEST_F(ImagesTest, ABrokenArchiveIsRefusedAndLeavesNothing) {
  write("broken", "this is no tar");
  const Output output = import(directory() + "/broken", {"-", "broken"});
  EXPECT_THAT(output, ExitsWith(1));
  manifest("services: {a: {image: broken}}\n");
  EXPECT_THAT(stack({"up", "-d"}), ExitsWith(1));
  EXPECT_THAT(stack({"load", "--input", directory() + "/broken"}), ExitsWith(1));
}

TEST_F(ImagesTest, ANewImageUnderTheSameNameRecreates) {
  write("tree/one", "1\n");
  ASSERT_THAT(import(archive("tree"), {"--base", "test", "-", "moving"}), ExitsWith(0));
  manifest("services: {a: {image: moving}}\n");
  up();
  const std::string before = id("a");
  write("tree/two", "2\n");
  ASSERT_THAT(import(archive("tree"), {"--base", "test", "-", "moving"}), ExitsWith(0));
  up();
  EXPECT_NE(id("a"), before);
  EXPECT_EQ(ask("a", {"cat", "/two"}), "2\n");
}

}  // namespace
}  // namespace e2e
