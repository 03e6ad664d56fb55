// `df`, `prune`, `doctor`, `save` and `bundle`.
#include <filesystem>
#include <fstream>

#include "runtime/os/disk_usage.hpp"
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class SpaceTest : public support::StackTest {
 protected:
  std::string tar_of(const std::string& tree) {
    CommandOptions options;
    options.environment = {{"PATH", "/usr/bin:/bin"}};
    const std::string path = directory() + "/" + tree + ".tar";
    EXPECT_THAT(
        support::run({"/usr/bin/tar", "-C", directory() + "/" + tree, "-cf", path, "."}, options),
        ExitsWith(0));
    return path;
  }
  json row(const std::string& type) const {
    for (const json& each : json_lines(must({"df", "--format", "json"})))
      if (each.at("Type") == type) return each;
    return {};
  }
  std::int64_t du() const {
    CommandOptions options;
    options.environment = {{"PATH", "/usr/bin:/bin"}};
    return std::stoll(support::run({"/usr/bin/du", "-sB1", data_directory()}, options).out);
  }
  std::string store() const { return data_directory() + "/images"; }
};

TEST_F(SpaceTest, DfAgreesWithDu) {
  manifest(
      "services: {a: {image: IMAGE, volumes: ['data:/data']}}\n"
      "volumes: {data: {}}\n");
  up();
  ask("a", {"write", "/data/file", "some"});
  EXPECT_EQ(row("Total").at("Bytes"), du());
  EXPECT_EQ(row("Images").at("Active"), "1");
  EXPECT_EQ(row("Containers").at("Active"), "1");
  EXPECT_EQ(row("Local Volumes").at("TotalCount"), "1");
  EXPECT_EQ(row("Images").at("ReclaimableBytes"), 0);
  EXPECT_THAT(must({"df", "-v"}), AllOf(HasSubstr("RECLAIMABLE"), HasSubstr("UNIQUE SIZE")));
  must({"down"});
  EXPECT_EQ(row("Images").at("Active"), "0");
  EXPECT_GT(row("Images").at("ReclaimableBytes"), 1'000'000);
}

TEST_F(SpaceTest, PruneLeavesWhatIsUsed) {
  write("tree/one", "1");
  CommandOptions input;
  input.input = tar_of("tree");
  ASSERT_THAT(stack({"import", "-", "moving"}, input), ExitsWith(0));
  ASSERT_THAT(stack({"import", "--base", "test", "-", "moving"}, input), ExitsWith(0));
  manifest("services: {a: {image: IMAGE}}\n");
  up();
  // The first "moving" has lost its name.
  EXPECT_THAT(must({"prune", "-f"}), HasSubstr("deleted: sha256:"));
  EXPECT_THAT(must({"images", "-a"}), AllOf(HasSubstr("moving"), HasSubstr("test")));
  EXPECT_THAT(must({"prune", "--all", "-f", "--filter", "until=1h"}), Not(HasSubstr("untagged")));
  EXPECT_THAT(must({"prune", "--all", "-f"}), HasSubstr("untagged: moving:latest"));
  EXPECT_THAT(must({"images", "-a"}), AllOf(Not(HasSubstr("moving")), HasSubstr("test")));
  EXPECT_EQ(probe("a", {"exists", "/seed/file"}).code, 0);
  EXPECT_THAT(stack({"prune", "--filter", "label=x"}), ExitsWith(2));
  EXPECT_THAT(stack({"prune", "--filter", "until=soon"}), ExitsWith(2));
}

TEST_F(SpaceTest, PruneAllLeavesNextToNothing) {
  manifest(
      "services: {a: {image: IMAGE, volumes: ['data:/data', '/anonymous']}}\n"
      "volumes: {data: {}}\n");
  up();
  must({"down"});
  EXPECT_THAT(must({"prune", "--volumes", "-f"}), HasSubstr("deleted volume"));
  EXPECT_THAT(must({"volume", "ls", "-q"}), HasSubstr("_data")) << "named volumes stay";
  must({"prune", "--all", "--volumes", "-f"});
  EXPECT_THAT(must({"volume", "ls", "-q"}), IsEmpty());
  EXPECT_LT(du(), 1'000'000);
}

TEST_F(SpaceTest, KeepStorageKeepsTheNewest) {
  write("tree/one", std::string(3'000'000, 'x'));
  CommandOptions input;
  input.input = tar_of("tree");
  ASSERT_THAT(stack({"import", "-", "newer"}, input), ExitsWith(0));
  const std::string kept = must({"prune", "--all", "-f", "--keep-storage", "8MB"});
  EXPECT_THAT(kept, AllOf(HasSubstr("untagged: test:latest"), Not(HasSubstr("newer"))));
}

TEST_F(SpaceTest, DoctorMendsWhatACrashLeft) {
  EXPECT_THAT(must({"doctor"}), HasSubstr("all is well"));
  os::make_directories(store() + "/tmp/dead/1/diff", 0700);
  os::write_file_atomic(store() + "/index.json.aB3dE6", "{");
  std::filesystem::remove_all(store() + "/layers/" + os::list_directory(store() + "/layers")[0]);
  const Output dry = stack({"doctor", "--dry-run"});
  EXPECT_THAT(dry, ExitsWith(1));
  EXPECT_THAT(dry.out, AllOf(HasSubstr("repairable"), HasSubstr("not unpacked")));
  EXPECT_THAT(must({"doctor"}), HasSubstr("repaired"));
  EXPECT_THAT(must({"doctor"}), HasSubstr("all is well"));
  manifest("services: {a: {image: IMAGE}}\n");
  up();
  EXPECT_EQ(probe("a", {"exists", "/seed/file"}).code, 0);
}

TEST_F(SpaceTest, DoctorNoticesADamagedBlob) {
  must({"save", "-o", directory() + "/whole.tar", "test"});
  const std::string blobs = store() + "/blobs/sha256/";
  std::string largest;
  for (const std::string& name : os::list_directory(blobs))
    if (largest.empty() ||
        std::filesystem::file_size(blobs + name) > std::filesystem::file_size(blobs + largest))
      largest = name;
  {
    std::fstream file(blobs + largest, std::ios::in | std::ios::out);
    file.seekp(1'000'000);
    file << "damage";
  }
  const Output found = stack({"doctor"});
  EXPECT_THAT(found, ExitsWith(1));
  EXPECT_THAT(found.out, AllOf(HasSubstr("is damaged"), HasSubstr("cannot be pushed or saved")));
  must({"load", "-i", directory() + "/whole.tar"});
  EXPECT_THAT(must({"doctor"}), HasSubstr("all is well"));
}

TEST_F(SpaceTest, WhatBuildsKeepIsCountedMendedAndPruned) {
  write("Dockerfile",
        "FROM test\nRUN --mount=type=cache,target=/c head -c 3000000 /dev/urandom > /c/x && "
        "head -c 2000000 /dev/urandom > /big\n");
  must({"build", "-t", "made", directory()});
  EXPECT_EQ(row("Total").at("Bytes"), du());
  EXPECT_GT(row("Build Cache").at("Bytes"), 3'000'000);
  must({"rmi", "made"});
  EXPECT_GT(row("Build Cache").at("Bytes"), 5'000'000) << "the step's layer stays for the next";
  EXPECT_EQ(row("Total").at("Bytes"), du());
  must({"prune", "-f"});
  EXPECT_GT(row("Build Cache").at("Bytes"), 5'000'000) << "it was used just now";
  EXPECT_THAT(stack({"build", "-t", "made", directory()}).err, HasSubstr("CACHED"));
  must({"rmi", "made"});
  const std::string records = store() + "/cache/";
  const std::string key = os::list_directory(records)[0];
  const json record = json::parse(os::read_file(records + key));
  std::filesystem::remove(store() + "/blobs/sha256/" +
                          record.at("digest").get<std::string>().substr(7));
  os::write_file_atomic(records + key + ".aB3dE6", "{");
  const Output mended = stack({"doctor"});
  EXPECT_THAT(mended.out, AllOf(HasSubstr("record of a build step leads to nothing"),
                                HasSubstr("unfinished file")));
  EXPECT_THAT(must({"doctor"}), HasSubstr("all is well"));
  EXPECT_THAT(stack({"build", "-t", "made", directory()}).err, Not(HasSubstr("CACHED")));
  must({"prune", "--all", "-f"});
  EXPECT_LT(du(), 1'000'000);
}

TEST_F(SpaceTest, SavedImagesLoadAgainAndAreAlwaysTheSame) {
  must({"tag", "test", "second:2"});
  must({"save", "-o", directory() + "/one.tar", "test", "second:2"});
  must({"save", "-o", directory() + "/two.tar", "test", "second:2"});
  EXPECT_EQ(os::read_file(directory() + "/one.tar"), os::read_file(directory() + "/two.tar"));
  must({"prune", "--all", "-f"});
  const std::string loaded = must({"load", "-i", directory() + "/one.tar"});
  EXPECT_THAT(loaded, AllOf(HasSubstr("Loaded image: test:latest"), HasSubstr("second:2")));
  EXPECT_THAT(must({"doctor"}), HasSubstr("all is well"));
  EXPECT_THAT(stack({"save", "-o", directory() + "/x", "missing"}), ExitsWith(1));
  EXPECT_FALSE(os::exists(directory() + "/x"));
}

TEST_F(SpaceTest, ABundleRunsWithoutAnythingElse) {
  write("settings", "level=$HIGH\n");
  manifest("name: " + project() + "\n" +
           "services: {a: {image: IMAGE, configs: [{source: settings, target: /settings}]}}\n"
           "configs: {settings: {file: ./settings}}\n");
  must({"bundle", directory() + "/all.bundle"});
  std::filesystem::remove(directory() + "/settings");
  std::filesystem::remove(directory() + "/compose.yaml");
  must({"prune", "--all", "-f"});
  must({"up", "-d", "--bundle", directory() + "/all.bundle"});
  const Output settings = stack({"-p", project(), "exec", "-T", "a", "probe", "cat", "/settings"});
  EXPECT_EQ(settings.out, "level=$HIGH\n");
  must({"-p", project(), "down", "-t", "0"});
  EXPECT_THAT(stack({"up", "-d", "--bundle", "/etc/passwd"}), ExitsWith(1));
}

}  // namespace
}  // namespace e2e
