#include "runtime/image/store.hpp"

#include <thread>

#include "tests/unit/runtime/image/store_fixture.hpp"

namespace image {
namespace {

using support::TarBuilder;
using testing::ElementsAre;
using testing::HasSubstr;

class StoreTest : public StoreFixture {};

TEST_F(StoreTest, ImportsAPlainTar) {
  const std::string tar = tar_of("hello", "world");
  ImportOptions options;
  options.changes = {R"(CMD ["/hello"])", "ENV A=1"};
  options.message = "from a test";
  const Image image = import(tar, "app:v1", options);
  EXPECT_THAT(image.names, ElementsAre("docker.io/library/app:v1"));
  EXPECT_THAT(image.config.cmd, ElementsAre("/hello"));
  EXPECT_THAT(image.diff_ids, ElementsAre(Digest::of(tar)));
  EXPECT_EQ(image.config.platform, host_platform());
  EXPECT_EQ(image.config.history.at(0).comment, "from a test");
  EXPECT_EQ(image.size, static_cast<std::int64_t>(tar.size()));
  const auto directories = store_.layer_directories(image);
  ASSERT_EQ(directories.size(), 1U);
  EXPECT_EQ(os::read_file(directories[0] + "/hello"), "world");
  EXPECT_EQ(os::read_file(root() + "/oci-layout"), R"({"imageLayoutVersion":"1.0.0"})");
  expect_sound();
}

TEST_F(StoreTest, ImportsEveryCompression) {
  const std::string tar = tar_of("f", std::string(100'000, 'x'));
  for (const char* compression : {"gzip", "zstd", "xz", "bzip2"}) {
    const Image image = import(compress(tar, compression), std::string("app:") + compression);
    EXPECT_THAT(image.diff_ids, ElementsAre(Digest::of(tar)));
  }
  EXPECT_EQ(layers().size(), 1U) << "equal content is unpacked once";
  expect_sound();
}

TEST_F(StoreTest, ImportsOnTopOfABase) {
  ImportOptions base_options;
  base_options.changes = {"ENV A=base", "CMD base", R"(ENTRYPOINT ["e"])"};
  const Image base =
      import(TarBuilder().directory("d", 0700).file("d/a", "1").finish(), "base", base_options);
  ImportOptions options;
  options.base = "base";
  options.changes = {"ENV B=$A"};
  const Image image = import(tar_of("d/b", "2"), "app", options);
  EXPECT_THAT(image.config.env, ElementsAre("A=base", "B=base"));
  EXPECT_THAT(image.config.entrypoint, ElementsAre("e"));
  EXPECT_EQ(image.diff_ids.size(), 2U);
  EXPECT_EQ(image.config.history.size(), 2U);
  const auto directories = store_.layer_directories(image);
  ASSERT_EQ(directories.size(), 2U);
  EXPECT_EQ(os::read_file(directories[0] + "/d/b"), "2");
  EXPECT_EQ(os::read_file(directories[1] + "/d/a"), "1");
  EXPECT_EQ(store_.layer_directories(base)[0], directories[1]) << "the base is shared";
  struct stat status {};
  ASSERT_EQ(::stat((directories[0] + "/d").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700U);
}

TEST_F(StoreTest, AFailedImportLeavesNothing) {
  const auto before = blobs();
  EXPECT_THROW(import("", "app"), os::Error);
  EXPECT_THROW(import("no tar at all", "app"), os::Error);
  EXPECT_THROW(import(TarBuilder().file("../x", "").finish(), "app"), os::Error);
  EXPECT_THROW(import(tar_of("f", ""), "Not A Name"), os::Error);
  ImportOptions options;
  options.base = "missing";
  EXPECT_THROW(import(tar_of("f", ""), "app", options), os::Error);
  options = {};
  options.changes = {"RUN true"};
  EXPECT_THROW(import(tar_of("f", ""), "app", options), os::Error);
  EXPECT_EQ(blobs(), before);
  EXPECT_TRUE(layers().empty());
  EXPECT_TRUE(temporary().empty());
  EXPECT_TRUE(store_.list().empty());
}

TEST_F(StoreTest, FindsByNameDigestAndId) {
  const Image image = import(tar_of("f", "1"), "reg.example.com/team/app:v1");
  const auto found = [&](const std::string& text) {
    const auto result = store_.find(text);
    return result && result->id == image.id;
  };
  EXPECT_TRUE(found("reg.example.com/team/app:v1"));
  EXPECT_TRUE(found("reg.example.com/team/app@" + image.manifest.text()));
  EXPECT_TRUE(found(image.id.text()));
  EXPECT_TRUE(found(image.id.hex()));
  EXPECT_TRUE(found(image.id.short_id()));
  EXPECT_FALSE(found("reg.example.com/team/app"));
  EXPECT_FALSE(found("other@" + image.manifest.text()));
  EXPECT_FALSE(found("app"));
  EXPECT_FALSE(found(std::string(64, '0')));
  EXPECT_THROW(store_.find("No Name"), os::Error);
}

TEST_F(StoreTest, ANameMovesAndTheOldImageStaysNameless) {
  const Image first = import(tar_of("f", "1"), "app");
  const Image second = import(tar_of("f", "2"), "app");
  EXPECT_EQ(store_.find("app")->id, second.id);
  ASSERT_EQ(store_.list().size(), 2U);
  EXPECT_TRUE(store_.find(first.id.text())->names.empty());
  EXPECT_THAT(store_.prune({first.id}).deleted, ElementsAre());
  EXPECT_THAT(store_.prune({}).deleted, ElementsAre(first.id));
  EXPECT_EQ(store_.list().size(), 1U);
  EXPECT_EQ(layers().size(), 1U);
}

TEST_F(StoreTest, RemovesOnlyWhatNobodyUses) {
  import(tar_of("base", "1"), "base");
  ImportOptions options;
  options.base = "base";
  const Image app = import(tar_of("f", "2"), "app", options);
  store_.tag(app, "app:second");
  EXPECT_THAT(store_.remove("app:second", false, {}).untagged,
              ElementsAre("docker.io/library/app:second"));
  EXPECT_THAT(store_.remove("base", false, {}).untagged,
              ElementsAre("docker.io/library/base:latest"));
  EXPECT_EQ(layers().size(), 2U) << "app still needs the base's layer";
  EXPECT_EQ(os::read_file(store_.layer_directories(*store_.find("app"))[1] + "/base"), "1");
  EXPECT_THAT(store_.remove("app", false, {}).deleted, ElementsAre(app.id));
  EXPECT_TRUE(blobs().empty());
  EXPECT_TRUE(layers().empty());
  EXPECT_THROW(store_.remove("app", false, {}), os::Error);
}

TEST_F(StoreTest, RemovalRespectsWhatIsInUse) {
  const Image image = import(tar_of("f", "1"), "app");
  EXPECT_THROW(store_.remove("app", false, {image.id}), os::Error);
  EXPECT_THROW(store_.remove(image.id.text(), false, {image.id}), os::Error);
  EXPECT_TRUE(store_.find("app"));
  const RemoveResult forced = store_.remove("app", true, {image.id});
  EXPECT_TRUE(forced.deleted.empty());
  EXPECT_FALSE(store_.find("app"));
  EXPECT_EQ(store_.layer_directories(*store_.find(image.id.text())).size(), 1U);
}

TEST_F(StoreTest, AnIdWithSeveralNamesNeedsForce) {
  const Image image = import(tar_of("f", "1"), "a");
  store_.tag(image, "b");
  EXPECT_THROW(store_.remove(image.id.short_id(), false, {}), os::Error);
  EXPECT_EQ(store_.remove(image.id.short_id(), true, {}).untagged.size(), 2U);
  EXPECT_TRUE(store_.list().empty());
}

TEST_F(StoreTest, SweepsWhatACrashLeft) {
  os::make_directories(root() + "/tmp/dead/1/diff", 0700);
  os::write_file_atomic(root() + "/tmp/dead/0", "half a blob");
  // Moved into place, but the crash came before the index: nobody names them.
  os::make_directories(root() + "/layers/" + std::string(64, 'a') + "/diff", 0700);
  os::write_file_atomic(root() + "/blobs/sha256/" + Digest::of("lost").hex(), "lost");
  import(tar_of("f", "1"), "app");
  EXPECT_TRUE(temporary().empty());
  store_.prune({});
  EXPECT_EQ(layers().size(), 1U);
  EXPECT_EQ(blobs().size(), 3U);
  expect_sound();
}

TEST_F(StoreTest, NothingIsDeletedWhileSomebodyHoldsTheStore) {
  import(tar_of("f", "1"), "app");
  {
    const os::FileLock hold = store_.hold();
    store_.remove("app", false, {});
    EXPECT_EQ(layers().size(), 1U);
    os::make_directories(root() + "/tmp/of-somebody-alive", 0700);
    import(tar_of("f", "2"), "other");
    EXPECT_THAT(temporary(), ElementsAre("of-somebody-alive"));
  }
  store_.prune({});
  EXPECT_EQ(layers().size(), 1U);
  expect_sound();
}

TEST_F(StoreTest, ParallelImportsKeepEveryName) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([this, i] {
      os::Pipe pipe = os::make_pipe();
      const std::string tar = tar_of("f", std::to_string(i % 2));
      std::thread feeder([&] {
        os::write_all(pipe.write.get(), tar, "pipe");
        pipe.write.reset();
      });
      Store(root()).import_tar(pipe.read.get(), "app:" + std::to_string(i));
      feeder.join();
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(layers().size(), 2U);
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(store_.find("app:" + std::to_string(i))) << i;
  store_.prune({});
  expect_sound();
}

TEST_F(StoreTest, NobodyElseMayEnter) {
  import(tar_of("f", "1"), "app");
  for (const char* name : {"", "/layers", "/blobs", "/blobs/sha256", "/tmp"}) {
    struct stat status {};
    ASSERT_EQ(::stat((root() + name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0700U) << name;
  }
}

TEST_F(StoreTest, ADamagedDocumentIsNoticed) {
  const Image image = import(tar_of("f", "1"), "app");
  os::write_file_atomic(root() + "/blobs/sha256/" + image.id.hex(), "{}");
  try {
    store_.find("app");
    FAIL();
  } catch (const os::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("is damaged"));
  }
}

}  // namespace
}  // namespace image
