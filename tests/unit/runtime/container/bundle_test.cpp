#include "runtime/container/bundle.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "runtime/container/spec_json.hpp"
#include "runtime/container/state.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace container {
namespace {

Spec runnable(Spec spec) {
  spec.process->args = {"/bin/true"};
  return spec;
}

bool mentions(const std::vector<std::string>& mistakes, const std::string& text) {
  return std::any_of(mistakes.begin(), mistakes.end(),
                     [&](const std::string& each) { return each.find(text) != std::string::npos; });
}

TEST(DefaultSpec, IsDockersDefaultContainer) {
  const Spec spec = runnable(default_spec());
  EXPECT_EQ(validate(spec), std::vector<std::string>{});
  EXPECT_EQ(spec.process->capabilities->bounding.size(), 14U);
  EXPECT_EQ(spec.process->capabilities->permitted, spec.process->capabilities->bounding);
  EXPECT_TRUE(spec.process->capabilities->ambient.empty());
  EXPECT_TRUE(spec.process->capabilities->inheritable.empty());
  EXPECT_FALSE(spec.process->no_new_privileges);
  ASSERT_EQ(spec.mounts.size(), 7U);
  EXPECT_EQ(spec.mounts[6].options.back(), "size=67108864");
  EXPECT_EQ(spec.linux.readonly_paths.size(), 5U);
  EXPECT_GE(spec.linux.masked_paths.size(), 12U);
  EXPECT_EQ(spec.linux.sysctl.at("net.ipv4.ping_group_range"), "0 2147483647");
  EXPECT_EQ(spec.linux.find_namespace(NamespaceType::cgroup), nullptr);
  EXPECT_NE(spec.linux.find_namespace(NamespaceType::network), nullptr);
  EXPECT_TRUE(spec.linux.seccomp);
}

TEST(DefaultSpec, FollowsItsOptions) {
  const Spec unified = default_spec({.unified_cgroup = true});
  EXPECT_NE(unified.linux.find_namespace(NamespaceType::cgroup), nullptr);
  const Spec host = runnable(default_spec({.host_network = true}));
  EXPECT_TRUE(host.linux.sysctl.empty());
  EXPECT_EQ(validate(host), std::vector<std::string>{});
  const Spec privileged = default_spec({.privileged = true});
  EXPECT_FALSE(privileged.linux.seccomp);
  EXPECT_TRUE(privileged.linux.masked_paths.empty());
  EXPECT_GT(privileged.process->capabilities->bounding.size(), 30U);
  EXPECT_EQ(privileged.mounts[3].options.back(), "rw");
  EXPECT_FALSE(privileged.linux.devices.empty());
}

TEST(Bundle, SurvivesBeingWrittenAndRead) {
  const os::TempDir directory;
  Spec spec = runnable(default_spec());
  spec.hostname = "box";
  spec.annotations = {{"stack.init", "true"}};
  spec.hooks.poststart = {{"/bin/hook", {"hook", "x"}, {"A=B"}, 5}};
  spec.process->rlimits = {{"RLIMIT_NOFILE", 1024, ~std::uint64_t{0}}};
  spec.linux.resources.memory.limit = -1;
  spec.linux.uid_mappings = {{0, 1000, 1}};
  spec.linux.time_offsets = {{"monotonic", {-5, 3}}};
  write_bundle(directory.path(), spec);
  const Spec read = read_bundle(directory.path());
  EXPECT_EQ(spec_to_json(read), spec_to_json(spec));
  EXPECT_EQ(read.process->rlimits[0].hard, ~std::uint64_t{0});
}

TEST(SpecJson, NamesEveryWrongProperty) {
  const auto bad = nlohmann::json::parse(R"({
    "ociVersion": 1, "unknown": {"x": [1]},
    "process": {"args": "sh", "cwd": "/", "user": {"uid": -1, "gid": 99999999999},
                "env": ["A=1", 2], "terminal": "yes"},
    "linux": {"namespaces": [{"type": "bogus"}], "devices": [{"type": "x"}],
              "resources": {"memory": {"limit": 1.5}}}})");
  try {
    spec_from_json(bad);
    FAIL();
  } catch (const os::Error& error) {
    const std::string text = error.what();
    for (const char* wanted :
         {"ociVersion: expected a string", "process.args: expected an array",
          "process.user.uid: the number -1 is negative", "process.user.gid: the number 99999999999",
          "process.env[1]: expected a string", "process.terminal: expected true or false",
          "linux.namespaces[0].type: 'bogus'", "linux.devices[0].type: 'x'",
          "linux.resources.memory.limit: expected an integer"}) {
      EXPECT_NE(text.find(wanted), std::string::npos) << wanted << " in\n" << text;
    }
    EXPECT_EQ(text.find("unknown"), std::string::npos);
  }
}

TEST(Validate, ReportsAllMistakesAtOnce) {
  Spec spec = default_spec();
  spec.oci_version = "2.0";
  spec.hostname = std::string(65, 'h');
  spec.process->cwd = "relative";
  spec.process->capabilities->bounding.push_back("CAP_FLY");
  spec.process->rlimits = {{"RLIMIT_NOPE", 1, 1}, {"RLIMIT_CPU", 2, 1}};
  spec.mounts.push_back({"data", "bind", "/x", {"rbind"}});
  spec.mounts.push_back({"/data", "", "/x", {}});
  spec.linux.namespaces.push_back({NamespaceType::pid});
  spec.linux.sysctl = {{"kernel.panic", "1"}, {"net.core.somaxconn", "1"}};
  spec.linux.uid_mappings = {{0, 0, 10}, {5, 100, 10}};
  spec.linux.masked_paths.push_back("proc/x");
  spec.linux.seccomp->flags = {"BOGUS"};
  spec.linux.unsupported = {"intelRdt"};
  spec.linux.resources.memory = {.limit = 100, .swap = 50};
  spec.linux.resources.unified = {{"../../x", "1"}};
  const auto mistakes = validate(spec);
  for (const char* wanted : {"ociVersion", "hostname: longer", "no command specified",
                             "process.cwd", "CAP_FLY", "RLIMIT_NOPE", "process.rlimits.RLIMIT_CPU",
                             "mounts[7]", "mounts[8]", "linux.namespaces.pid: given twice",
                             "'kernel.panic': sysctl \"kernel.panic\" is not in a separate",
                             "linux.uidMappings: entries overlap", "needs a user namespace",
                             "linux.maskedPaths", "BOGUS", "intelRdt", "memory.swap", "unified"}) {
    EXPECT_TRUE(mentions(mistakes, wanted)) << wanted;
  }
  EXPECT_FALSE(mentions(mistakes, "net.core"));
}

TEST(Validate, WantsNamespacesForSysctls) {
  Spec spec = runnable(default_spec({.host_network = true}));
  spec.linux.sysctl = {{"net.core.somaxconn", "1"}, {"kernel.shmmax", "1"}};
  const auto mistakes = validate(spec);
  EXPECT_TRUE(mentions(mistakes, "'net.core.somaxconn': needs a network namespace"));
  EXPECT_FALSE(mentions(mistakes, "shmmax"));
}

TEST(ContainerId, IsAPlainName) {
  EXPECT_TRUE(is_valid_container_id("shop-db_1.x"));
  for (const char* bad : {"", ".", "..", ".x", "a/b", "a b", "ä"}) {
    EXPECT_FALSE(is_valid_container_id(bad)) << bad;
  }
}

TEST(State, SurvivesBeingWrittenAndRead) {
  const os::TempDir directory;
  const StatePaths paths(directory.path());
  EXPECT_FALSE(read_state(paths));
  State state;
  state.id = "x";
  state.status = Status::failed;
  state.init = os::ProcessIdentity{12, 345};
  state.cgroups = {{"", "/sys/fs/cgroup/unified/stack/x"}};
  state.exit_code = 137;
  state.failure = Failure{"mount", 2, "mount: No such file or directory", 125};
  write_state(paths, state);
  const auto read = read_state(paths);
  ASSERT_TRUE(read);
  EXPECT_EQ(state_to_json(*read), state_to_json(state));
  os::write_file_atomic(paths.record(), R"({"version": 9, "id": "x", "status": "odd"})");
  EXPECT_THROW(read_state(paths), os::Error);
  os::write_file_atomic(paths.record(), "{");
  EXPECT_THROW(read_state(paths), os::Error);
}

}  // namespace
}  // namespace container
