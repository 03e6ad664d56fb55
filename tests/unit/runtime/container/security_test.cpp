// What is decided about a container before anything is done, against known attacks: the number is
// that of the row in docs/security.md.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "runtime/container/bundle.hpp"
#include "runtime/container/seccomp_program.hpp"
#include "runtime/container/spec.hpp"
#include "runtime/container/spec_json.hpp"
#include "runtime/container/state.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace container {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

Spec runnable() {
  Spec spec = default_spec();
  spec.process->args = {"true"};
  return spec;
}

// CVE-2022-24769: what a program that gains file capabilities would get.
TEST(Sec, Sec15_TheDefaultSetsAreNotInheritable) {
  DefaultSpecOptions privileged;
  privileged.privileged = true;
  for (const Spec& spec : {default_spec(), default_spec(privileged)}) {
    EXPECT_THAT(spec.process->capabilities->inheritable, IsEmpty());
    EXPECT_THAT(spec.process->capabilities->ambient, IsEmpty());
  }
}

TEST(Sec, Sec38_OnlySettingsOfANamespaceAreTaken) {
  for (const char* name : {"kernel.panic",
                           "kernel/panic",
                           "kernel.hostname",
                           "vm.swappiness",
                           "net",
                           "net.",
                           "net/",
                           "net..core.somaxconn",
                           "net/../kernel/panic",
                           "net/core/../../kernel/panic",
                           "net/./x",
                           "net//x",
                           "net.//.kernel.panic",
                           "fs.mqueue.",
                           "fs.mqueue/../file-max",
                           "../kernel/panic",
                           "/kernel/panic",
                           "net/..",
                           "kernel.msgmax/../panic",
                           ""}) {
    Spec spec = runnable();
    spec.linux.sysctl = {{name, "1"}};
    EXPECT_THAT(validate(spec), Not(IsEmpty())) << name;
  }
  for (const char* name :
       {"net.core.somaxconn", "net/core/somaxconn", "net.ipv4.conf.eth0/1.rp_filter",
        "net/ipv4/conf/eth0.1/rp_filter", "kernel.msgmax", "fs.mqueue.msg_max"}) {
    Spec spec = runnable();
    spec.linux.sysctl = {{name, "1"}};
    EXPECT_THAT(validate(spec), IsEmpty()) << name;
  }
}

TEST(Sec, Sec38_NoSettingWithoutANamespaceForIt) {
  for (const auto& [type, name] : {std::pair{NamespaceType::network, "net.core.somaxconn"},
                                   {NamespaceType::ipc, "kernel.msgmax"},
                                   {NamespaceType::uts, "kernel.domainname"}}) {
    Spec spec = runnable();
    std::erase_if(spec.linux.namespaces, [&](const Namespace& each) { return each.type == type; });
    spec.linux.sysctl = {{name, "1"}};
    EXPECT_THAT(validate(spec), Not(IsEmpty())) << name;
  }
}

TEST(Sec, Sec37_ContainerIdsAreNames) {
  for (const char* id : {"", ".", "..", "../x", "a/b", "/a", "a b", "a\nb", ".a", "é"})
    EXPECT_FALSE(is_valid_container_id(id)) << id;
  EXPECT_FALSE(is_valid_container_id(std::string("a\0b", 3)));
  EXPECT_FALSE(is_valid_container_id(std::string(5000, 'a')));
  EXPECT_TRUE(is_valid_container_id("web-1_2.3+4"));
}

// A bundle that says nothing of devices, or only what it wants besides.
TEST(Sec, DevicesThatNobodyNamedAreNotAllowed) {
  const std::size_t usual = default_device_rules().size();
  EXPECT_EQ(complete_device_rules({}).size(), usual);
  EXPECT_EQ(complete_device_rules(default_device_rules()).size(), usual) << "nothing twice";
  const DeviceRule fuse{.allow = true, .type = 'c', .major = 10, .minor = 229, .access = "rwm"};
  const auto with_fuse = complete_device_rules({fuse});
  EXPECT_EQ(with_fuse.size(), usual + 1);
  EXPECT_FALSE(with_fuse.front().allow);
  EXPECT_EQ(with_fuse.front().type, 'a');
  const DeviceRule all{.allow = true, .type = 'a', .access = "rwm"};
  EXPECT_EQ(complete_device_rules({all}).size(), 1U);
}

// A record of another's making, or of another boot.
TEST(Sec, Sec39_ARecordThatIsNoneIsRefused) {
  const nlohmann::json good = state_to_json(State{.id = "a", .bundle = "/b"});
  EXPECT_NO_THROW(state_from_json(good));
  const std::vector<nlohmann::json> patches = {{{"version", 2}},
                                               {{"version", "1"}},
                                               {{"status", "free"}},
                                               {{"status", 7}},
                                               {{"status", nullptr}},
                                               {{"init", {{"pid", 0}}}},
                                               {{"init", {{"pid", -1}, {"start_time", 1}}}},
                                               {{"init", {{"pid", "1"}}}},
                                               {{"init", {{"pid", 1e300}}}},
                                               {{"monitor", {{"pid", 0}}}},
                                               {{"cgroups", {"/"}}},
                                               {{"cgroups", {{"memory", 1}}}},
                                               {{"id", {1}}},
                                               {{"annotations", {{"a", {1}}}}}};
  for (const nlohmann::json& patch : patches) {
    nlohmann::json bad = good;
    bad.merge_patch(patch);
    EXPECT_THROW(state_from_json(bad), os::Error) << patch;
  }
  for (const char* text :
       {"", "[]", "1", "null", "{", "{\"version\":1}", "\xff", "{\"version\":1,"})
    EXPECT_THROW(state_from_json(parse_json(text, "state")), os::Error) << text;
  EXPECT_THROW(parse_json(std::string(200'000, '['), "state"), os::Error);
}

// A filter that someone else could have put there lets through what it likes.
TEST(Sec, ASeccompCacheOthersMayWriteToIsNotBelieved) {
  const Seccomp policy = default_seccomp(seccomp_environment({}));
  const os::TempDir directory;
  const SeccompProgram honest = seccomp_program(policy, directory.path());
  const auto files = os::list_directory(directory.path());
  ASSERT_EQ(files.size(), 1U);
  const std::string file = directory.path() + "/" + files.front();
  std::string text = os::read_file(file);
  // The last instructions are replaced by one that allows (BPF_RET, SECCOMP_RET_ALLOW).
  const sock_filter allow{.code = 0x06, .jt = 0, .jf = 0, .k = 0x7fff0000};
  text.replace(text.size() - honest.size() * sizeof allow, sizeof allow,
               reinterpret_cast<const char*>(&allow), sizeof allow);
  os::write_file_atomic(file, text);
  EXPECT_EQ(seccomp_program(policy, directory.path()).front().k, allow.k) << "our own is used";
  ::chmod(directory.path().c_str(), 0777);
  EXPECT_EQ(seccomp_program(policy, directory.path()).front().k, honest.front().k);
  ::chmod(directory.path().c_str(), 0700);
}

}  // namespace
}  // namespace container
