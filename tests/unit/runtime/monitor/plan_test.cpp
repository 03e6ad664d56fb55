#include "runtime/monitor/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/container/bundle.hpp"

namespace monitor {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::vector<container::Hierarchy> two_v1_hierarchies() {
  return {{.mount_point = "/sys/fs/cgroup/cpu,cpuacct",
           .unified = false,
           .controllers = {"cpu", "cpuacct"},
           .name = "cpu,cpuacct",
           .base = "/sys/fs/cgroup/cpu,cpuacct"},
          {.mount_point = "/sys/fs/cgroup/unified",
           .unified = true,
           .controllers = {},
           .name = "",
           .base = "/sys/fs/cgroup/unified"}};
}

container::Spec minimal_spec() {
  container::Spec spec;
  spec.process.emplace();
  spec.process->args = {"true"};
  spec.root.emplace();
  spec.root->path = "rootfs";
  return spec;
}

std::vector<std::string> lines(const container::Spec& spec, const PlanInput& input = {}) {
  std::vector<std::string> text;
  for (const Step& step : plan_steps(spec, input)) text.push_back(describe(step));
  return text;
}

std::ptrdiff_t position(const std::vector<std::string>& text, const std::string& begin) {
  const auto found = std::find_if(text.begin(), text.end(),
                                  [&](const auto& line) { return line.starts_with(begin); });
  return found == text.end() ? -1 : found - text.begin();
}

TEST(Plan, PivotsAfterMountsAndBeforeMasks) {
  container::Spec spec = container::default_spec();
  spec.process->args = {"true"};
  spec.root->path = "rootfs";
  spec.hostname = "box";
  const auto hierarchies = two_v1_hierarchies();
  PlanInput input;
  input.hierarchies = &hierarchies;
  const auto text = lines(spec, input);
  EXPECT_EQ(position(text, "propagation"), 0);
  EXPECT_EQ(position(text, "attach root"), 1);
  const auto pivot = position(text, "pivot");
  EXPECT_LT(position(text, "mount proc on /proc"), pivot);
  EXPECT_LT(position(text, "mount proc on /proc"), position(text, "sysctl net"));
  EXPECT_LT(position(text, "device c 1:3 /dev/null 666"), pivot);
  EXPECT_LT(pivot, position(text, "hostname box"));
  EXPECT_LT(pivot, position(text, "read-only /proc/sys"));
  EXPECT_LT(pivot, position(text, "mask /proc/kcore"));
}

TEST(Plan, GivesEachV1HierarchyItsOwnGroupAndALinkPerController) {
  container::Spec spec = minimal_spec();
  container::Mount mount;
  mount.destination = "/sys/fs/cgroup";
  mount.type = "cgroup";
  mount.source = "cgroup";
  mount.options = {"ro", "nosuid"};
  spec.mounts = {mount};
  const auto hierarchies = two_v1_hierarchies();
  PlanInput input;
  input.hierarchies = &hierarchies;
  input.cgroups = {{"cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct/stack/p/a"},
                   {"", "/sys/fs/cgroup/unified/stack/p/a"}};
  const auto text = lines(spec, input);
  EXPECT_THAT(text, Contains(StartsWith("mount tmpfs on /sys/fs/cgroup")));
  EXPECT_THAT(text, Contains(StartsWith("bind /sys/fs/cgroup/cpu,cpuacct/stack/p/a on "
                                        "/sys/fs/cgroup/cpu,cpuacct attributes=0xf")));
  EXPECT_THAT(text, Contains("link /sys/fs/cgroup/cpu -> cpu,cpuacct"));
  EXPECT_THAT(text, Contains("link /sys/fs/cgroup/cpuacct -> cpu,cpuacct"));
  EXPECT_THAT(text, Not(Contains(HasSubstr("unified"))));
}

TEST(Plan, MountsCgroup2AsItIsWhereThereIsNothingElse) {
  container::Spec spec = minimal_spec();
  container::Mount mount;
  mount.destination = "/sys/fs/cgroup";
  mount.type = "cgroup";
  spec.mounts = {mount};
  const std::vector<container::Hierarchy> unified = {two_v1_hierarchies().back()};
  PlanInput input;
  input.hierarchies = &unified;
  EXPECT_THAT(lines(spec, input), Contains(StartsWith("mount cgroup2 on /sys/fs/cgroup")));
}

TEST(Plan, FlipsAReadOnlyTmpfsWhenAllIsMade) {
  container::Spec spec = minimal_spec();
  spec.root->readonly = true;
  container::Mount mount;
  mount.destination = "/ro/";
  mount.type = "tmpfs";
  mount.options = {"ro"};
  spec.mounts = {mount};
  const auto text = lines(spec);
  EXPECT_THAT(text, Contains(HasSubstr("on /ro attributes=0x1 (read-only later)")));
  ASSERT_GE(text.size(), 2U);
  EXPECT_EQ(text[text.size() - 2], "read-only mount /ro");
  EXPECT_EQ(text.back(), "read-only mount /");
}

TEST(Plan, LeavesADevThatTheUserBindsAlone) {
  container::Spec spec = minimal_spec();
  container::Mount mount;
  mount.destination = "/dev";
  mount.type = "bind";
  mount.source = "/dev";
  mount.options = {"rbind"};
  spec.mounts = {mount};
  EXPECT_EQ(position(lines(spec), "device"), -1);
}

TEST(Plan, MakesAConsoleOnlyForATerminal) {
  container::Spec spec = minimal_spec();
  EXPECT_EQ(position(lines(spec), "console"), -1);
  EXPECT_NE(position(lines(spec), "null streams"), -1);
  spec.process->terminal = true;
  EXPECT_NE(position(lines(spec), "console"), -1);
  EXPECT_EQ(position(lines(spec), "null streams"), -1);
}

TEST(Plan, BindsTheInitHelperReadOnly) {
  PlanInput input;
  input.init_binary = "/usr/libexec/stack-runtime";
  EXPECT_THAT(lines(minimal_spec(), input),
              Contains(StartsWith("bind /usr/libexec/stack-runtime on /sbin/docker-init "
                                  "attributes=0x1")));
}

TEST(Plan, TakesEachProtectedPathOnce) {
  container::Spec spec = minimal_spec();
  spec.linux.masked_paths = {"/proc/keys", "/proc//keys/", "/proc/kcore"};
  const auto text = lines(spec);
  EXPECT_EQ(std::count(text.begin(), text.end(), "mask /proc/keys"), 1);
}

TEST(MayMountBelowProc, AllowsOnlyWhatReplacesAFile) {
  EXPECT_TRUE(may_mount_below_proc("/process"));
  EXPECT_TRUE(may_mount_below_proc("/proc/meminfo"));
  EXPECT_TRUE(may_mount_below_proc("/proc/sys/kernel/ns_last_pid"));
  EXPECT_FALSE(may_mount_below_proc("/proc/self"));
  EXPECT_FALSE(may_mount_below_proc("/proc/sys"));
  EXPECT_FALSE(may_mount_below_proc("/proc/self/attr"));
}

TEST(CleanPath, DropsWhatMeansNothing) {
  EXPECT_EQ(clean_path("/a//b/./c/"), "/a/b/c");
  EXPECT_EQ(clean_path("/"), "/");
  EXPECT_EQ(clean_path(""), "/");
  EXPECT_EQ(clean_path("/a/../b"), "/a/../b");
}

}  // namespace
}  // namespace monitor
