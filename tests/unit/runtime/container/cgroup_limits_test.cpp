#include "runtime/container/cgroup_limits.hpp"

#include <gtest/gtest.h>

#include "runtime/container/cgroup.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace container {
namespace {

// A machine as files below a temporary directory.
class Machine {
 public:
  explicit Machine(const std::string& mounts, const std::string& memberships) {
    os::make_directories(root() + "/proc/self");
    os::write_file_atomic(root() + "/proc/self/mountinfo", mounts);
    os::write_file_atomic(root() + "/proc/self/cgroup", memberships);
  }
  const std::string& root() const { return directory_.path(); }
  void file(const std::string& path, const std::string& text) {
    os::make_directories((root() + path).substr(0, (root() + path).rfind('/')));
    os::write_file_atomic(root() + path, text);
  }
  CgroupLayout layout() const { return CgroupLayout::detect(root()); }

 private:
  os::TempDir directory_;
};

constexpr const char* kHybridMounts =
    "30 22 0:27 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "34 30 0:31 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "35 30 0:35 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
    "36 30 0:36 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio\n"
    "39 30 0:39 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n"
    "40 30 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
constexpr const char* kHybridMemberships =
    "9:name=systemd:/\n8:pids:/\n5:blkio:/\n4:memory:/process_api/x\n2:cpu,cpuacct:/\n0::/\n";
constexpr const char* kUnifiedMounts =
    "30 22 0:27 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n";

class Hybrid : public ::testing::Test {
 protected:
  Hybrid() : machine_(kHybridMounts, kHybridMemberships) {
    for (const char* name : {"cpu,cpuacct", "memory", "pids", "blkio", "systemd"}) {
      os::make_directories(machine_.root() + "/sys/fs/cgroup/" + name);
    }
    machine_.file("/sys/fs/cgroup/unified/cgroup.controllers", "hugetlb\n");
  }
  Machine machine_;
};

class Unified : public ::testing::Test {
 protected:
  Unified() : machine_(kUnifiedMounts, "0::/\n") {
    machine_.file("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
  }
  Machine machine_;
};

std::vector<std::string> lines(const LimitPlan& plan) {
  std::vector<std::string> result;
  for (const LimitStep& step : plan.steps) {
    result.push_back(step.controller + " " + step.file + "=" + step.value);
  }
  return result;
}

Resources all_resources() {
  Resources resources;
  resources.memory = {
      .limit = 64 << 20, .reservation = 32 << 20, .swap = 96 << 20, .swappiness = 10};
  resources.cpu = {.shares = 512, .quota = 50'000, .period = 100'000, .cpus = ""};
  resources.pids_limit = 100;
  resources.block_io.weight = 500;
  resources.block_io.read_bps = {{8, 0, 1'000'000}};
  return resources;
}

TEST_F(Hybrid, IsSeenPerController) {
  const CgroupLayout layout = machine_.layout();
  EXPECT_EQ(layout.hierarchies().size(), 6U);
  EXPECT_FALSE(layout.unified_only());
  ASSERT_NE(layout.unified(), nullptr);
  EXPECT_EQ(layout.find("cpuacct")->name, "cpu,cpuacct");
  EXPECT_EQ(layout.find("memory")->base, machine_.root() + "/sys/fs/cgroup/memory");
  EXPECT_TRUE(layout.find("hugetlb")->unified);
  EXPECT_EQ(layout.find("freezer"), nullptr);
}

TEST_F(Unified, IsSeenAsSuch) {
  const CgroupLayout layout = machine_.layout();
  EXPECT_TRUE(layout.unified_only());
  EXPECT_TRUE(layout.find("memory")->unified);
  EXPECT_EQ(layout.unified()->base, machine_.root() + "/sys/fs/cgroup");
}

TEST_F(Hybrid, WritesTheFilesOfV1) {
  const LimitPlan plan = plan_limits(all_resources(), machine_.layout());
  EXPECT_TRUE(plan.missing.empty());
  EXPECT_EQ(
      lines(plan),
      (std::vector<std::string>{
          "memory memory.limit_in_bytes=67108864", "memory memory.memsw.limit_in_bytes=100663296",
          "memory memory.soft_limit_in_bytes=33554432", "memory memory.swappiness=10",
          "cpu cpu.shares=512", "cpu cpu.cfs_period_us=100000", "cpu cpu.cfs_quota_us=50000",
          "pids pids.max=100", "blkio blkio.weight=500",
          "blkio blkio.throttle.read_bps_device=8:0 1000000"}));
  EXPECT_TRUE(plan.steps[0].may_follow_next);
}

TEST_F(Unified, WritesTheFilesOfV2) {
  const LimitPlan plan = plan_limits(all_resources(), machine_.layout());
  EXPECT_EQ(lines(plan),
            (std::vector<std::string>{
                "memory memory.max=67108864", "memory memory.swap.max=33554432",
                "memory memory.low=33554432", "cpu cpu.weight=59", "cpu cpu.max=50000 100000",
                "pids pids.max=100", "io io.bfq.weight=500", "io io.max=8:0 rbps=1000000"}));
  EXPECT_EQ(plan.warnings.size(), 1U);
  EXPECT_EQ(plan.steps[6].alternative_value, "4950");
}

TEST_F(Unified, SwapIsTheDifference) {
  const auto swap = [&](std::int64_t limit, std::int64_t total) {
    Resources resources;
    resources.memory.limit = limit;
    resources.memory.swap = total;
    return plan_limits(resources, machine_.layout()).steps.back();
  };
  EXPECT_EQ(swap(100, 100).value, "0");
  EXPECT_TRUE(swap(100, 100).may_be_missing);
  EXPECT_EQ(swap(100, -1).value, "max");
  EXPECT_EQ(swap(100, 150).value, "50");
  EXPECT_FALSE(swap(100, 150).may_be_missing);
}

TEST_F(Hybrid, NamesAMissingController) {
  Resources resources;
  resources.cpu.cpus = "0";
  const LimitPlan plan = plan_limits(resources, machine_.layout());
  ASSERT_EQ(plan.missing.size(), 1U);
  EXPECT_EQ(plan.missing[0], "cpu.cpus: this machine has no 'cpuset' controller");
  Cgroup group = Cgroup::create(machine_.layout(), "/stack/p/c");
  EXPECT_THROW(group.set_limits(resources), os::Error);
}

TEST_F(Hybrid, MakesAndRemovesEveryGroup) {
  Cgroup group = Cgroup::create(machine_.layout(), "/stack/p/c");
  EXPECT_EQ(group.paths().size(), 6U);
  for (const auto& [name, directory] : group.paths()) EXPECT_TRUE(os::exists(directory)) << name;
  const Cgroup::Paths paths = group.paths();
  EXPECT_EQ(Cgroup::open(machine_.layout(), paths).paths(), paths);
  group.remove();
  EXPECT_TRUE(group.paths().empty());
  for (const auto& [name, directory] : paths) EXPECT_FALSE(os::exists(directory)) << name;
  remove_cgroup_parent(machine_.layout(), "/stack/p");
  EXPECT_FALSE(os::exists(machine_.root() + "/sys/fs/cgroup/memory/stack/p"));
  EXPECT_TRUE(os::exists(machine_.root() + "/sys/fs/cgroup/memory/stack"));
}

TEST_F(Hybrid, RefusesPathsThatLeadOut) {
  EXPECT_THROW(Cgroup::create(machine_.layout(), "/"), os::Error);
  EXPECT_THROW(Cgroup::create(machine_.layout(), "/stack/../../x"), os::Error);
}

TEST_F(Hybrid, LeavesNothingWhenItCannotMakeAll) {
  machine_.file("/sys/fs/cgroup/pids/stack/p/c/cgroup.procs", "123\n");
  EXPECT_THROW(Cgroup::create(machine_.layout(), "/stack/p/c"), os::Error);
  EXPECT_FALSE(os::exists(machine_.root() + "/sys/fs/cgroup/memory/stack"));
}

TEST(CgroupWeight, FollowsTheTable) {
  const std::pair<std::uint64_t, std::uint64_t> vectors[] = {
      {0, 1},      {2, 1},      {10, 4},     {64, 12},      {128, 21},
      {256, 35},   {512, 59},   {768, 80},   {1024, 100},   {1536, 138},
      {2048, 174}, {4096, 303}, {8192, 532}, {65536, 3023}, {262144, 10000}};
  for (const auto& [shares, weight] : vectors) {
    EXPECT_EQ(cpu_weight_from_shares(shares), weight) << shares;
  }
  EXPECT_EQ(io_weight_from_blkio(10), 1U);
  EXPECT_EQ(io_weight_from_blkio(1000), 10000U);
}

}  // namespace
}  // namespace container
