// The watchman of all the other tests: what a stack could leave behind is seen.
#include "tests/support/host_snapshot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <nftables/libnftables.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/process.hpp"
#include "tests/support/command.hpp"

namespace e2e {
namespace {

using support::HostSnapshot;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

// Runs `leak` between two looks, in namespaces of its own so that the host is not touched, and
// returns whether the second look found `expected`.
bool finds(const std::string& expected, const std::function<void()>& leak) {
  return support::in_child([&] {
           os::check(::unshare(CLONE_NEWNET | CLONE_NEWNS), [] { return "unshare"; });
           os::check(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr),
                     [] { return "make the mounts private"; });
           const HostSnapshot before = HostSnapshot::take();
           leak();
           int code = 1;
           for (const std::string& one : HostSnapshot::take().added_since(before)) {
             std::cerr << one << '\n';
             if (one.find(expected) != std::string::npos) code = 0;
           }
           return code;
         }) == 0;
}

void run_nft(const std::string& commands) {
  const std::unique_ptr<nft_ctx, decltype(&::nft_ctx_free)> context(::nft_ctx_new(NFT_CTX_DEFAULT),
                                                                    &::nft_ctx_free);
  if (::nft_run_cmd_from_buffer(context.get(), commands.c_str()) != 0)
    throw os::Error("run '" + commands + "'");
}

class HostSnapshotTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::geteuid(), 0U) << "needs root"; }
  os::TempDir directory_{"/tmp", "stack-snapshot-"};
};

TEST_F(HostSnapshotTest, NothingIsFoundWhenNothingHappens) {
  const HostSnapshot before = HostSnapshot::take();
  EXPECT_THAT(before.added_since(before), IsEmpty());
}

TEST_F(HostSnapshotTest, SeesAProcess) {
  const std::string program = directory_.path() + "/stack-runtime";
  std::filesystem::copy_file("/bin/sleep", program);
  EXPECT_TRUE(finds("stack-runtime", [&] {
    os::SpawnOptions options{.executable = program, .arguments = {"stack-runtime", "5"}};
    static os::Child child;  // lives until the process that looks has looked
    child = os::spawn(options);
    while (!os::exists("/proc/" + std::to_string(child.pid()) + "/exe")) continue;
  }));
}

TEST_F(HostSnapshotTest, SeesAMount) {
  EXPECT_TRUE(finds("mount: tmpfs at " + directory_.path(), [&] {
    os::check(::mount("tmpfs", directory_.path().c_str(), "tmpfs", 0, nullptr),
              [] { return "mount"; });
  }));
}

TEST_F(HostSnapshotTest, SeesAFirewallTable) {
  EXPECT_TRUE(finds("firewall: table inet stack", [] {
    run_nft("add table inet stack; add map inet stack ports { type inet_service : ipv4_addr; }");
  }));
}

TEST_F(HostSnapshotTest, SeesALinkAndARoute) {
  EXPECT_TRUE(finds("route: lo", [] {
    // A loopback that comes up brings its address and its routes.
    const os::UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    request.ifr_name[0] = 'l';
    request.ifr_name[1] = 'o';
    request.ifr_flags = IFF_UP;
    os::check(::ioctl(socket.get(), SIOCSIFFLAGS, &request), [] { return "set lo up"; });
  }));
  EXPECT_THAT(support::links(), Contains("lo"));
}

TEST_F(HostSnapshotTest, SeesASocket) {
  EXPECT_TRUE(finds("supervisor.sock", [&] {
    static os::UniqueFd socket;
    socket.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = directory_.path() + "/supervisor.sock";
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    os::check(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address),
              [] { return "bind"; });
  }));
}

TEST_F(HostSnapshotTest, SeesACgroup) {
  for (const char* root : {"/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"}) {
    const std::string path = std::string(root) + "/stack-snapshot-test";
    if (::mkdir(path.c_str(), 0755) != 0) continue;
    const auto found = support::stack_cgroups();
    ::rmdir(path.c_str());
    EXPECT_THAT(found, Contains(path));
    return;
  }
  FAIL() << "no cgroup hierarchy can be written: run this as root";
}

}  // namespace
}  // namespace e2e
