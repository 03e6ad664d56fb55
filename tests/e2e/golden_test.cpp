// A default container, fact by fact, against what a container of Docker Engine saw on the same kind
// of machine (tests/golden/container). Each difference is written down there with its reason; one
// that is not, or that is there no more, fails.
#include <algorithm>
#include <set>
#include <sstream>

#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

using Facts = std::set<std::string>;

std::vector<std::string> words(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> result;
  for (std::string word; stream >> word;) result.push_back(word);
  return result;
}

/// Lines of a file of facts, without comments.
std::vector<std::string> golden(const std::string& name) {
  std::vector<std::string> lines =
      split_lines(os::read_file(std::string(TEST_SOURCE_DIR) + "/golden/container/" + name));
  std::erase_if(lines, [](const std::string& line) { return line.empty() || line[0] == '#'; });
  return lines;
}

/// What this machine does not have cannot be compared: hierarchies of cgroup v1, files of /proc.
bool is_here(const std::string& fact) {
  const std::vector<std::string> parts = words(fact);
  if (parts[0] == "rule") return os::exists("/sys/fs/cgroup/devices");
  if (parts[0] != "mount") return true;
  if (parts[1] == "/sys/fs/cgroup") return os::exists("/sys/fs/cgroup/memory");
  const bool of_kernel = parts[1].starts_with("/proc/") || parts[1].starts_with("/sys/");
  return !of_kernel || os::exists(parts[1]);
}

class GoldenTest : public support::StackTest {
 protected:
  std::vector<std::string> lines_of(const std::vector<std::string>& arguments) const {
    return split_lines(ask("a", arguments));
  }

  /// "mount POINT TYPE OPTIONS super OPTIONS", without what is this machine's alone.
  void add_mounts(Facts& facts) const {
    for (const std::string& line : lines_of({"mounts"})) {
      const std::vector<std::string> fields = words(line);
      const auto dash = std::find(fields.begin(), fields.end(), "-");
      ASSERT_GE(std::distance(dash, fields.end()), 4) << line;
      std::string type = dash[1], super = dash[3];
      if (type == "overlay" || type == "cgroup") super = "rw";
      if (type == "ext4" || type == "xfs" || type == "btrfs") {
        type = "bind";
        super.clear();
      }
      facts.insert("mount " + fields[4] + " " + type + " " + fields[5] +
                   (super.empty() ? "" : " super " + super));
    }
  }

  void add_status(Facts& facts) const {
    const std::set<std::string> wanted = {
        "Umask:",  "Uid:",    "Gid:",     "Groups:",     "NSpid:",          "NSpgid:",
        "NSsid:",  "CapInh:", "CapPrm:",  "CapEff:",     "CapBnd:",         "CapAmb:",
        "SigBlk:", "SigIgn:", "Seccomp:", "NoNewPrivs:", "Seccomp_filters:"};
    for (const std::string& line : lines_of({"cat", "/proc/1/status"})) {
      const std::vector<std::string> fields = words(line);
      if (fields.empty() || !wanted.contains(fields[0])) continue;
      std::string fact = "status";
      for (const std::string& field : fields) fact += " " + field;
      facts.insert(fact);
    }
  }

  void add_devices(Facts& facts) const {
    for (const std::string& name : lines_of({"ls", "/dev"})) {
      const std::vector<std::string> fields = words(ask("a", {"stat", "/dev/" + name}));
      if (fields.at(0) == "c") {
        facts.insert("dev c " + fields.at(1) + " " + fields.at(2) + " " + fields.at(3) + " " +
                     fields.at(4) + " " + name);
      } else if (fields.at(0) == "l") {
        const auto target = stack({"exec", "-T", "a", "readlink", "/dev/" + name}).out;
        facts.insert("dev l " + name + " -> " + target.substr(0, target.find('\n')));
      } else {
        facts.insert("dev " + fields.at(0) + " " + name);
      }
    }
    if (!os::exists("/sys/fs/cgroup/devices")) return;
    for (const std::string& line : lines_of({"cat", "/sys/fs/cgroup/devices/devices.list"}))
      facts.insert("rule " + line);
  }

  void add_settings(Facts& facts) const {
    for (const char* name : {"HOME", "PATH"})
      facts.insert(std::string("env ") + name + "=" + lines_of({"env", name}).at(0));
    if (lines_of({"env", "HOSTNAME"}).at(0) == id("a")) facts.insert("env HOSTNAME=ID");
    const std::string base = "/proc/sys/net/ipv4/";
    facts.insert("sysctl net.ipv4.ip_unprivileged_port_start " +
                 lines_of({"cat", base + "ip_unprivileged_port_start"}).at(0));
    const auto range = words(ask("a", {"cat", base + "ping_group_range"}));
    facts.insert("sysctl net.ipv4.ping_group_range " + range.at(0) + " " + range.at(1));
    facts.insert("oom_score_adj " + lines_of({"cat", "/proc/1/oom_score_adj"}).at(0));
  }
};

TEST_F(GoldenTest, ADefaultContainerIsThatOfDocker) {
  manifest("services: {a: {image: IMAGE}}\n");
  up();
  Facts ours;
  add_mounts(ours);
  add_status(ours);
  add_devices(ours);
  add_settings(ours);
  Facts expected;
  for (const std::string& fact : golden("docker-28.5.txt"))
    if (is_here(fact)) expected.insert(fact);
  for (const std::string& line : golden("differences.txt")) {
    const std::string fact = line.substr(2);
    if (!is_here(fact)) continue;
    if (line[0] == '-') {
      EXPECT_EQ(expected.erase(fact), 1U) << "differences.txt: Docker has no '" << fact << "'";
    } else {
      expected.insert(fact);
    }
  }
  std::vector<std::string> missing, extra;
  std::set_difference(expected.begin(), expected.end(), ours.begin(), ours.end(),
                      std::back_inserter(missing));
  std::set_difference(ours.begin(), ours.end(), expected.begin(), expected.end(),
                      std::back_inserter(extra));
  std::string text;
  for (const std::string& fact : missing) text += "- " + fact + "\n";
  for (const std::string& fact : extra) text += "+ " + fact + "\n";
  EXPECT_EQ(text, "");
}

// Limits are not set unless asked for: the container has those of whoever started it.
TEST_F(GoldenTest, LimitsAreInherited) {
  manifest("services: {a: {image: IMAGE}}\n");
  up();
  EXPECT_EQ(ask("a", {"cat", "/proc/1/limits"}), os::read_file("/proc/self/limits"));
}

}  // namespace
}  // namespace e2e
