// Limits that the kernel keeps: memory, processors, processes, files (Compose A2, A4, D6.13).
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class LimitsTest : public support::StackTest {
 protected:
  void start_one(const std::string& rest) {
    manifest("services: {a: {image: IMAGE, " + rest + "}}\n");
    up();
  }
  // A limit's file in whichever hierarchy has it, as the host sees the container's cgroup.
  std::string cgroup_value(const std::string& v1_controller, const std::string& v1_file,
                           const std::string& v2_file) {
    const std::string pid = std::to_string(init_pid("a"));
    for (const std::string& line :
         support::split_lines(os::read_file("/proc/" + pid + "/cgroup"))) {
      const std::size_t first = line.find(':'), second = line.find(':', first + 1);
      const std::string controllers = line.substr(first + 1, second - first - 1),
                        path = line.substr(second + 1);
      for (const std::string& root :
           {"/sys/fs/cgroup/" + (controllers.empty() ? std::string("unified") : controllers),
            std::string("/sys/fs/cgroup")}) {
        const bool v2 = controllers.empty();
        if (!v2 && controllers.find(v1_controller) == std::string::npos) continue;
        const auto text = os::read_file_if_exists(root + path + "/" + (v2 ? v2_file : v1_file));
        if (text) return text->substr(0, text->find('\n'));
      }
    }
    return "no cgroup has " + v1_file + " or " + v2_file;
  }
};

TEST_F(LimitsTest, MemoryIsKept) {
  start_one("mem_limit: 32m");
  EXPECT_EQ(cgroup_value("memory", "memory.limit_in_bytes", "memory.max"), "33554432");
}

// D7.3
TEST_F(LimitsTest, OutOfMemoryIsNoticedAndSaid) {
  start_one("mem_limit: 16m, memswap_limit: 16m, command: probe eat 64 5");
  ASSERT_TRUE(wait_until([&] { return state("a") == "exited"; }, seconds(20)));
  EXPECT_EQ(container("a").at("ExitCode"), 137);
  EXPECT_TRUE(record("a").at("outcome").at("oom_killed").get<bool>());
}

TEST_F(LimitsTest, ProcessesAreCounted) {
  start_one("pids_limit: 20");
  EXPECT_THAT(ask("a", {"fork", "100"}), HasSubstr("EAGAIN"));
  EXPECT_EQ(cgroup_value("pids", "pids.max", "pids.max"), "20");
}

TEST_F(LimitsTest, ProcessorsAreShared) {
  start_one("cpus: 0.25");
  EXPECT_THAT(cgroup_value("cpu", "cpu.cfs_quota_us", "cpu.max"), HasSubstr("25000"));
}

TEST_F(LimitsTest, ProcessorsAreChosen) {
  start_one("cpuset: '0'");
  EXPECT_EQ(cgroup_value("cpuset", "cpuset.cpus", "cpuset.cpus"), "0");
  EXPECT_THAT(ask("a", {"status", "Cpus_allowed_list"}), HasSubstr("\t0\n"));
}

TEST_F(LimitsTest, DeploysLimitsAreTheSame) {
  start_one("deploy: {resources: {limits: {cpus: '0.5', memory: 48M, pids: 30}}}");
  EXPECT_EQ(cgroup_value("memory", "memory.limit_in_bytes", "memory.max"), "50331648");
  EXPECT_THAT(cgroup_value("cpu", "cpu.cfs_quota_us", "cpu.max"), HasSubstr("50000"));
  EXPECT_EQ(cgroup_value("pids", "pids.max", "pids.max"), "30");
}

TEST_F(LimitsTest, UlimitsAreSet) {
  start_one("ulimits: {nofile: {soft: 100, hard: 200}, nproc: 300}");
  EXPECT_EQ(ask("a", {"limits", "nofile"}), "nofile 100 200\n");
  EXPECT_EQ(ask("a", {"limits", "nproc"}), "nproc 300 300\n");
}

TEST_F(LimitsTest, SharedMemoryHasItsSize) {
  start_one("shm_size: 8m");
  EXPECT_EQ(ask("a", {"fs-size", "/dev/shm"}), "8388608\n");
}

TEST_F(LimitsTest, AnImpossibleLimitIsRefused) {
  manifest("services: {a: {image: IMAGE, mem_limit: 1m}}\n");
  const Output small = stack({"up", "-d"});
  EXPECT_THAT(small, ExitsWith(1));
  EXPECT_THAT(small.err, HasSubstr("Minimum memory limit allowed is 6MB"));
  manifest("services: {a: {image: IMAGE, cpus: 10000}}\n");
  EXPECT_THAT(stack({"up", "-d"}), ExitsWith(1));
}

// Every process of a container ends with it, whatever the program left running.
TEST_F(LimitsTest, AllProcessesEndWithTheContainer) {
  start_one("command: \"sh -c 'for i in 1 2 3 4 5; do sleep 1000 & done; exec probe serve'\"");
  must({"down", "-t", "2"});
  expect_nothing_left();
}

}  // namespace
}  // namespace e2e
