// The disk of the data directory is full: a clear message, nothing half made, and all goes on once
// there is room again.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <filesystem>

#include "runtime/os/error.hpp"
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class FullDiskTest : public support::StackTest {
 protected:
  void SetUp() override {
    StackTest::SetUp();
    if (HasFatalFailure()) return;
    std::filesystem::create_directory(disk_);
    environment()["STACK_DATA_DIR"] = disk_ + "/data";
  }
  void TearDown() override {
    std::filesystem::remove(filler());
    if (std::filesystem::exists(directory() + "/compose.yaml"))
      stack({"down", "--volumes", "--timeout", "0"});
    ::umount2(disk_.c_str(), MNT_DETACH);
    environment()["STACK_DATA_DIR"] = data_directory();
    StackTest::TearDown();
  }
  /// A disk of that size, empty, in the place of the data directory's.
  void mount_disk(const std::string& size) {
    os::check(::mount("tmpfs", disk_.c_str(), "tmpfs", 0, ("size=" + size).c_str()),
              [] { return "mount tmpfs"; });
    host_ = support::HostSnapshot::take();
  }
  /// Nothing is left on the host, nor of a container or a project on the disk.
  void expect_clean() {
    std::vector<std::string> left;
    const auto clean = [&] {
      left = support::HostSnapshot::take().added_since(host_);
      for (const std::string& file : files())
        if (file.find("/containers/") != std::string::npos ||
            file.find("/projects/") != std::string::npos ||
            file.find("/volumes/") != std::string::npos)
          left.push_back(file);
      return left.empty();
    };
    wait_until(clean, seconds(5));
    EXPECT_THAT(left, IsEmpty());
  }
  void resize_disk(const std::string& size) {
    os::check(::mount("tmpfs", disk_.c_str(), "tmpfs", MS_REMOUNT, ("size=" + size).c_str()),
              [] { return "resize tmpfs"; });
  }
  std::string filler() const { return disk_ + "/filler"; }
  /// Fills the disk but for so many bytes.
  void fill_but(std::uint64_t bytes) {
    struct statvfs room {};
    ASSERT_EQ(::statvfs(disk_.c_str(), &room), 0);
    const std::uint64_t free = room.f_bavail * room.f_bsize;
    const os::UniqueFd file = os::open_file(filler(), O_WRONLY | O_CREAT);
    if (free <= bytes) return;
    ASSERT_EQ(::posix_fallocate(file.get(), 0, static_cast<off_t>(free - bytes)), 0);
  }
  void make_room() { std::filesystem::remove(filler()); }
  Output import_image() {
    CommandOptions options;
    options.input = support::image_file();
    return stack({"import", "--change", R"(CMD ["probe","serve"])", "-", support::kImage}, options);
  }
  std::vector<std::string> files() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(disk_))
      if (!entry.is_directory() &&
          entry.path().filename().string().find("lock") == std::string::npos)
        found.push_back(entry.path().string());
    return found;
  }
  const std::string disk_ = directory() + "-disk";
  support::HostSnapshot host_ = support::HostSnapshot::take();
};

TEST_F(FullDiskTest, DuringAnImport) {
  for (const char* size : {"64k", "1m", "2m", "4m", "5m"}) {
    mount_disk(size);
    const Output output = import_image();
    EXPECT_THAT(output, ExitsWith(1)) << size;
    EXPECT_THAT(output.err, HasSubstr("No space left on device")) << size;
    EXPECT_EQ(split_lines(stack({"images", "-aq"}).out).size(), 0U) << size;
    for (const std::string& file : files())
      EXPECT_THAT(file, testing::AnyOf(HasSubstr("oci-layout"), HasSubstr("index.json"))) << size;
    resize_disk("32m");
    EXPECT_THAT(import_image(), ExitsWith(0)) << size;
    EXPECT_EQ(split_lines(must({"images", "-aq"})).size(), 1U);
    must({"rmi", support::kImage});
    ASSERT_EQ(::umount(disk_.c_str()), 0);
  }
}

TEST_F(FullDiskTest, DuringAnUp) {
  mount_disk("32m");
  ASSERT_THAT(import_image(), ExitsWith(0));
  manifest(R"(
services:
  a: {image: IMAGE, volumes: ["data:/data"], configs: [text]}
  b: {image: IMAGE, depends_on: [a]}
volumes: {data: }
configs: {text: {content: words}}
)");
  up();
  must({"down", "--volumes"});
  bool worked = false, failed = false;
  for (std::uint64_t pages = 0; !worked && pages < 400; pages += pages < 24 ? 2 : 8) {
    SCOPED_TRACE(std::to_string(pages) + " free pages");
    fill_but(pages * 4096);
    const Output output = stack({"up", "-d"});
    worked = output.code == 0;
    if (!worked) {
      failed = true;
      EXPECT_THAT(output, ExitsWith(1));
      EXPECT_THAT(output.err, HasSubstr("No space left on device"));
    }
    make_room();
    if (pages % 4 == 0) {  // else: taken down as it is
      EXPECT_THAT(stack({"up", "-d"}), ExitsWith(0));
      EXPECT_EQ(state("a"), "running");
      EXPECT_EQ(state("b"), "running");
    }
    EXPECT_THAT(stack({"down", "--volumes", "--timeout", "1"}), ExitsWith(0));
    EXPECT_EQ(stack({"ps", "--all", "-q"}).out, "");
    expect_clean();
    if (HasFailure()) break;
  }
  EXPECT_TRUE(worked && failed) << "neither limit was reached";
}

// It is full although nobody asked for anything: what runs goes on, and what ends is acted on.
TEST_F(FullDiskTest, WhileItRuns) {
  mount_disk("32m");
  ASSERT_THAT(import_image(), ExitsWith(0));
  manifest(R"(
services:
  writer: {image: IMAGE, command: probe count 1000000000 1}
  again: {image: IMAGE, restart: always}
  plain: {image: IMAGE}
)");
  up();
  fill_but(0);
  const pid_t writer = init_pid("writer"), again = init_pid("again");
  ::kill(again, SIGKILL);
  ::kill(init_pid("plain"), SIGKILL);
  EXPECT_TRUE(wait_until([&] { return state("plain") == "exited"; }));
  EXPECT_EQ(container("plain").at("ExitCode"), 137);
  make_room();
  EXPECT_TRUE(wait_until([&] {
    return state("again") == "running" && find_init_pid("again").value_or(again) != again;
  }));
  EXPECT_EQ(init_pid("writer"), writer) << "a full disk does not stop who writes";
  const std::size_t said = logs("writer").size();
  EXPECT_TRUE(wait_until([&] { return logs("writer").size() > said; }));
  must({"up", "-d"});
  EXPECT_EQ(state("plain"), "running");
  must({"down"});
  expect_clean();
}

}  // namespace
}  // namespace e2e
