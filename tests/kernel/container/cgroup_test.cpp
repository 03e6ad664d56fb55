#include "runtime/container/cgroup.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/container/bundle.hpp"
#include "runtime/container/device_filter.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/process.hpp"

namespace container {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class CgroupKernel : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::geteuid(), 0U) << "needs root to make control groups";
    layout_ = CgroupLayout::detect();
    group_ = Cgroup::create(layout_, path_);
  }
  void TearDown() override {
    if (::geteuid() != 0) return;
    group_.thaw();
    group_.kill_all();
    EXPECT_TRUE(group_.wait_empty(seconds(5)));
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    const Cgroup::Paths paths = group_.paths();
    group_.remove();
    for (const auto& [name, directory] : paths) EXPECT_FALSE(os::exists(directory)) << directory;
    remove_cgroup_parent(layout_, parent_);
  }

  // A child in the group that runs `work` once it has been placed.
  template <class Work>
  pid_t start(Work work) {
    std::vector<os::UniqueFd> entrances = group_.entrances();
    if (const os::UniqueFd unified = group_.unified_directory())
      entrances.push_back(os::open_at(unified.get(), "cgroup.procs", O_WRONLY));
    os::Pipe entered = os::make_pipe();
    const pid_t pid = ::fork();
    if (pid == 0) {
      enter_cgroups(entrances);
      os::write_all(entered.write.get(), "x", "the test");
      work();
      ::_exit(0);
    }
    entered.write.reset();
    char byte = 0;
    EXPECT_EQ(::read(entered.read.get(), &byte, 1), 1);
    return pid;
  }
  std::string read(const char* controller, const char* file) {
    std::string text = os::read_file(group_.directory(controller).value() + "/" + file);
    if (!text.empty()) text.pop_back();
    return text;
  }
  bool is_v2(const char* controller) const { return layout_.find(controller)->unified; }

  std::string parent_ = "/stack-kernel-test-" + std::to_string(::getpid());
  std::string path_ = parent_ + "/one";
  CgroupLayout layout_;
  Cgroup group_;
};

[[noreturn]] void sleep_forever() {
  for (;;) ::pause();
}

TEST_F(CgroupKernel, KeepsLimits) {
  Resources resources;
  resources.memory.limit = 64 << 20;
  resources.memory.swap = 64 << 20;
  resources.cpu.shares = 512;
  resources.cpu.quota = 50'000;
  resources.cpu.period = 100'000;
  resources.cpu.cpus = "0";
  resources.pids_limit = 50;
  resources.devices = default_device_rules();
  EXPECT_TRUE(group_.set_limits(resources).empty());
  EXPECT_EQ(read("memory", is_v2("memory") ? "memory.max" : "memory.limit_in_bytes"), "67108864");
  EXPECT_EQ(read("pids", "pids.max"), "50");
  EXPECT_EQ(read("cpuset", "cpuset.cpus"), "0");
  if (is_v2("cpu")) {
    EXPECT_EQ(read("cpu", "cpu.max"), "50000 100000");
    EXPECT_EQ(read("cpu", "cpu.weight"), "59");
  } else {
    EXPECT_EQ(read("cpu", "cpu.cfs_quota_us"), "50000");
    EXPECT_EQ(read("cpu", "cpu.shares"), "512");
  }
  // Up and down again: the order of memory and memory plus swap matters.
  resources.memory.limit = resources.memory.swap = 128 << 20;
  group_.set_limits(resources);
  resources.memory.limit = resources.memory.swap = 32 << 20;
  group_.set_limits(resources);
  const CgroupStats stats = group_.stats();
  EXPECT_EQ(stats.memory_limit, 32U << 20);
  EXPECT_EQ(stats.pids_limit, 50U);
}

TEST_F(CgroupKernel, FreezesAndThaws) {
  const pid_t pid = start(sleep_forever);
  EXPECT_EQ(group_.processes(), std::vector<pid_t>{pid});
  EXPECT_TRUE(group_.populated());
  EXPECT_FALSE(group_.frozen());
  group_.freeze();
  EXPECT_TRUE(group_.frozen());
  group_.thaw();
  EXPECT_FALSE(group_.frozen());
}

TEST_F(CgroupKernel, KillsATreeThatForksEvenWhenFrozen) {
  Resources resources;
  resources.pids_limit = 40;
  group_.set_limits(resources);
  start([] {
    ::alarm(60);
    for (int i = 0; i < 5; ++i) {
      if (::fork() < 0) break;
    }
    sleep_forever();
  });
  for (int i = 0; i < 1000 && group_.processes().size() < 10; ++i) ::usleep(1000);
  EXPECT_GE(group_.processes().size(), 10U);
  EXPECT_LE(group_.processes().size(), 40U);
  group_.freeze();
  group_.kill_all();
  group_.thaw();
  EXPECT_TRUE(group_.wait_empty(seconds(5)));
  EXPECT_FALSE(group_.populated());
}

TEST_F(CgroupKernel, TellsWhenItIsEmpty) {
  const os::UniqueFd events = group_.events();
  if (!events) GTEST_SKIP() << "no cgroup v2 on this machine";
  const pid_t pid = start(sleep_forever);
  char text[256];
  ASSERT_GT(::pread(events.get(), &text[0], sizeof(text), 0), 0);
  ::kill(pid, SIGKILL);
  pollfd poll = {.fd = events.get(), .events = POLLPRI, .revents = 0};
  EXPECT_EQ(::poll(&poll, 1, 5000), 1);
  EXPECT_FALSE(group_.populated());
}

TEST_F(CgroupKernel, NoticesOom) {
  Resources resources;
  resources.memory.limit = resources.memory.swap = 16 << 20;
  group_.set_limits(resources);
  const os::UniqueFd oom = group_.oom_events();
  ASSERT_TRUE(oom);
  const pid_t pid = start([] {
    constexpr std::size_t kSize = 64 << 20;
    volatile char* memory = new char[kSize];
    for (std::size_t i = 0; i < kSize; i += 4096) memory[i] = 1;
  });
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  pollfd poll = {.fd = oom.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&poll, 1, 5000), 1);
  EXPECT_EQ(group_.oom_kills(), 1U);
}

TEST_F(CgroupKernel, IsNotMadeTwiceWhileInUse) {
  start(sleep_forever);
  EXPECT_THROW(Cgroup::create(layout_, path_), os::Error);
  EXPECT_TRUE(group_.populated());
}

TEST_F(CgroupKernel, TakesTheDeviceProgram) {
  const os::UniqueFd directory = group_.unified_directory();
  if (!directory) GTEST_SKIP() << "no cgroup v2 on this machine";
  const os::UniqueFd program = load_device_program(device_program(default_device_rules()));
  attach_device_program(directory.get(), program.get());
  const pid_t pid = start([] {
    const bool null_opens = ::open("/dev/null", O_RDWR) >= 0;
    ::_exit(null_opens ? 0 : 1);
  });
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
  const os::UniqueFd none = load_device_program(device_program({}));
  attach_device_program(directory.get(), none.get(), program.get());
  const pid_t denied = start([] {
    const bool is_denied = ::open("/dev/null", O_RDWR) < 0 && errno == EPERM;
    ::_exit(is_denied ? 0 : 1);
  });
  ASSERT_EQ(::waitpid(denied, &status, 0), denied);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace container
