// What an OCI bundle says of the process, its namespaces and its limits, seen from inside: the
// checks of the runtime-tools validation suite, by their names there.
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "monitor_client.hpp"
#include "oci_runtime.hpp"

namespace monitor_test {
namespace {

using container::NamespaceType;

class OciProcess : public OciTest {};

container::Namespace& find(container::Spec& spec, NamespaceType type) {
  for (container::Namespace& each : spec.linux.namespaces)
    if (each.type == type) return each;
  return spec.linux.namespaces.emplace_back(container::Namespace{.type = type});
}

void share(container::Spec& spec, NamespaceType type) {
  std::erase_if(spec.linux.namespaces, [&](const auto& each) { return each.type == type; });
}

std::string own(const char* name) {
  return fs::read_symlink(std::string("/proc/self/ns/") + name).string();
}

// process, process_user, hostname
TEST_F(OciProcess, IsWhoAndWhereItIsTold) {
  EXPECT_EQ(
      output(
          "id -u; id -g; id -G; umask; pwd; echo $A; hostname",
          [](container::Spec& spec) {
            spec.process->user = {.uid = 10, .gid = 11, .umask = 027, .additional_gids = {5, 12}};
            spec.process->cwd = "/tmp";
            spec.process->env.emplace_back("A=one two");
            spec.hostname = "told";
          }),
      "10\n11\n11 5 12\n0027\n/tmp\none two\ntold\n");
}

// process_capabilities, process_capabilities_fail
TEST_F(OciProcess, HasTheCapabilitiesItIsGiven) {
  EXPECT_EQ(output("grep Cap /proc/self/status",
                   [](container::Spec& spec) {
                     spec.process->user.uid = 1000;
                     spec.process->capabilities =
                         container::Capabilities{.bounding = {"CAP_CHOWN", "CAP_KILL"},
                                                 .effective = {"CAP_KILL"},
                                                 .inheritable = {"CAP_KILL"},
                                                 .permitted = {"CAP_KILL"},
                                                 .ambient = {"CAP_KILL"}};
                   }),
            "CapInh:\t0000000000000020\nCapPrm:\t0000000000000020\nCapEff:\t0000000000000020\n"
            "CapBnd:\t0000000000000021\nCapAmb:\t0000000000000020\n");
  const Bundle bundle({"true"}, [](container::Spec& spec) {
    spec.process->capabilities->bounding.emplace_back("CAP_TEST");
  });
  EXPECT_THAT(oci_.refused({"create", "--bundle", bundle.path(), bundle.id()}),
              HasSubstr("CAP_TEST"));
}

// process_rlimits, process_rlimits_fail, process_oom_score_adj
TEST_F(OciProcess, KeepsItsLimits) {
  EXPECT_EQ(output("ulimit -n; ulimit -H -n; ulimit -u; cat /proc/self/oom_score_adj",
                   [](container::Spec& spec) {
                     spec.process->rlimits = {{.type = "RLIMIT_NOFILE", .soft = 100, .hard = 200},
                                              {.type = "RLIMIT_NPROC", .soft = 300, .hard = 300}};
                     spec.process->oom_score_adj = 123;
                   }),
            "100\n200\n300\n123\n");
  for (const char* type : {"RLIMIT_TEST", "NOFILE"}) {
    const Bundle bundle({"true"}, [&](container::Spec& spec) {
      spec.process->rlimits = {{.type = type, .soft = 1, .hard = 1}};
    });
    EXPECT_THAT(oci_.refused({"create", "--bundle", bundle.path(), bundle.id()}), HasSubstr(type));
  }
}

// linux_ns_nopath, linux_ns_itype
TEST_F(OciProcess, NamespacesAreNewOrTheRuntimes) {
  const std::string script = "for n in ipc net uts; do readlink /proc/self/ns/$n; done";
  const auto nothing = [](container::Spec&) {};
  for (const char* name : {"ipc", "net", "uts"})
    EXPECT_THAT(output(script, nothing), Not(HasSubstr(own(name))));
  const auto inherited = [](container::Spec& spec) {
    for (const auto type : {NamespaceType::ipc, NamespaceType::network, NamespaceType::uts})
      share(spec, type);
    spec.hostname.clear();
    spec.linux.sysctl.clear();
  };
  for (const char* name : {"ipc", "net", "uts"})
    EXPECT_THAT(output(script, inherited), HasSubstr(own(name)));
}

// linux_ns_path, linux_ns_path_type
TEST_F(OciProcess, NamespacesAreJoinedByTheirPath) {
  const Bundle holder({"sleep", "60"});
  oci_.must({"run", "--detach", "--bundle", holder.path(), holder.id()});
  const std::string process =
      "/proc/" + std::to_string(oci_.state(holder.id()).at("pid").get<int>()) + "/ns/";
  for (const auto& [type, name] : {std::pair{NamespaceType::ipc, "ipc"},
                                   {NamespaceType::uts, "uts"},
                                   {NamespaceType::network, "net"},
                                   {NamespaceType::pid, "pid"}}) {
    const auto join = [&, type = type, name = name](container::Spec& spec) {
      spec.hostname.clear();
      find(spec, type).path = process + name;
    };
    EXPECT_EQ(output(std::string("readlink /proc/self/ns/") + name, join),
              fs::read_symlink(process + name).string() + "\n");
    const Bundle wrong({"true"}, [&, type = type, name = name](container::Spec& spec) {
      find(spec, type).path = process + (std::string(name) == "ipc" ? "uts" : "ipc");
    });
    EXPECT_THAT(oci_.refused({"create", "--bundle", wrong.path(), wrong.id()}),
                HasSubstr("namespace"));
  }
  const Bundle twice({"true"}, [&](container::Spec& spec) {
    spec.linux.namespaces.push_back({.type = NamespaceType::ipc});
  });
  EXPECT_THAT(oci_.refused({"create", "--bundle", twice.path(), twice.id()}), HasSubstr("twice"));
}

// A namespace of the host given by its path is still the host's.
TEST_F(OciProcess, NothingIsSetInANamespaceOfTheHost) {
  const std::string name = os::read_file("/proc/sys/kernel/hostname");
  const std::string message_size = os::read_file("/proc/sys/kernel/msgmax");
  for (int variant = 0; variant < 4; ++variant) {
    const Bundle bundle({"true"}, [&](container::Spec& spec) {
      const NamespaceType type = variant < 2    ? NamespaceType::uts
                                 : variant == 2 ? NamespaceType::ipc
                                                : NamespaceType::network;
      find(spec, type).path = "/proc/self/ns/" + std::string(container::namespace_proc_name(type));
      spec.hostname = variant == 0 ? name.substr(0, name.size() - 1) : "";
      if (variant == 1) spec.domainname = "(none)";
      spec.linux.sysctl.clear();
      if (variant == 2) spec.linux.sysctl["kernel.msgmax"] = message_size;
      if (variant == 3)
        spec.linux.sysctl["net.core.somaxconn"] = os::read_file("/proc/sys/net/core/somaxconn");
    });
    EXPECT_THAT(oci_.refused({"create", "--bundle", bundle.path(), bundle.id()}),
                HasSubstr("host's own"))
        << variant;
  }
}

// linux_uid_mappings
TEST_F(OciProcess, IdsAreMapped) {
  const os::TempDir directory;
  fs::copy(busybox_root(), directory.path(),
           fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  ::chmod(directory.path().c_str(), 0755);
  const std::string text = output(
      "cat /proc/self/uid_map /proc/self/gid_map; id -u; grep CapEff /proc/self/status; "
      "readlink /proc/self/ns/user; ls -ln / | grep bin; cat /proc/kcore /proc/keys; echo x > "
      "/dev/null",
      [&](container::Spec& spec) {
        spec.root->path = directory.path();
        find(spec, NamespaceType::user);
        spec.linux.uid_mappings = {{.container_id = 0, .host_id = 100000, .size = 2000}};
        spec.linux.gid_mappings = {{.container_id = 0, .host_id = 200000, .size = 3000}};
        spec.linux.sysctl.clear();
      });
  EXPECT_THAT(text,
              AllOf(HasSubstr("0     100000       2000"), HasSubstr("0     200000       3000"),
                    HasSubstr("\n0\nCapEff:\t00000000a80425fb"), Not(HasSubstr(own("user")))));
  const Bundle bare({"true"}, [](container::Spec& spec) { find(spec, NamespaceType::user); });
  EXPECT_THAT(oci_.refused({"create", "--bundle", bare.path(), bare.id()}), HasSubstr("Mappings"));
}

// time namespaces: offsets in the future, for the clocks of programs that count from boot.
TEST_F(OciProcess, ClocksAreMoved) {
  const std::string text = output(
      "cat /proc/uptime; readlink /proc/self/ns/time; cat /proc/self/timens_offsets; ls /proc/$$",
      [](container::Spec& spec) {
        find(spec, NamespaceType::time);
        spec.linux.time_offsets["boottime"] = {.secs = 100'000'000, .nanosecs = 0};
      });
  EXPECT_GE(std::atof(text.c_str()), 1e8) << text;
  EXPECT_THAT(text, Not(HasSubstr(own("time"))));
}

// linux_cgroups_*, linux_cgroups_relative_*
TEST_F(OciProcess, ItsGroupsHaveItsLimits) {
  for (const bool relative : {false, true}) {
    const Bundle bundle({"sleep", "60"}, [&](container::Spec& spec) {
      if (relative) spec.linux.cgroups_path.erase(0, 1);
      spec.linux.resources.devices.clear();
      spec.linux.resources.memory.limit = 64 << 20;
      spec.linux.resources.pids_limit = 77;
      spec.linux.resources.cpu.shares = 512;
      spec.linux.resources.cpu.quota = 50'000;
      spec.linux.resources.cpu.period = 100'000;
      spec.linux.resources.cpu.cpus = "0";
    });
    oci_.must({"run", "--detach", "--bundle", bundle.path(), bundle.id()});
    const auto value = [&](const std::string& hierarchy, const std::string& file) {
      return os::read_file_if_exists(bundle.cgroup(hierarchy) + "/" + bundle.id() + "/" + file)
          .value_or("missing");
    };
    if (!os::exists("/sys/fs/cgroup/memory")) GTEST_SKIP() << "the limits tests have this for v2";
    EXPECT_EQ(value("memory", "memory.limit_in_bytes"), "67108864\n");
    EXPECT_EQ(value("pids", "pids.max"), "77\n");
    EXPECT_EQ(value("cpu", "cpu.shares"), "512\n");
    EXPECT_EQ(value("cpu", "cpu.cfs_quota_us"), "50000\n");
    EXPECT_EQ(value("cpuset", "cpuset.cpus"), "0\n");
    EXPECT_THAT(value("devices", "devices.list"),
                AllOf(HasSubstr("c 1:3 rwm"), Not(HasSubstr("a *:*"))));
    const os::TempDir directory;
    os::write_file_atomic(directory.path() + "/new", R"({"pids": {"limit": 88}})");
    oci_.must({"update", "--resources", directory.path() + "/new", bundle.id()});
    EXPECT_EQ(value("pids", "pids.max"), "88\n");
    oci_.must({"delete", "--force", bundle.id()});
    EXPECT_FALSE(os::exists(bundle.cgroup("memory")));
  }
}

// linux_cgroups_hugetlb and others that are not to be had
TEST_F(OciProcess, ALimitThatCannotBeKeptIsAnError) {
  const Bundle bundle({"true"}, [](container::Spec& spec) {
    spec.linux.resources.hugepage_limits = {{.page_size = "3MB", .limit = 1 << 20}};
  });
  oci_.refused({"create", "--bundle", bundle.path(), bundle.id()});
  const Bundle taken({"sleep", "60"});
  oci_.must({"run", "--detach", "--bundle", taken.path(), taken.id()});
  const Bundle same({"true"}, [&](container::Spec& spec) {
    spec.linux.cgroups_path = "/stack-test-" + taken.id() + "/" + taken.id();
  });
  EXPECT_THAT(oci_.refused({"create", "--bundle", same.path(), same.id()}), HasSubstr("in use"));
  EXPECT_EQ(oci_.status(taken.id()), "running");
  const Bundle up({"true"}, [&](container::Spec& spec) {
    spec.linux.cgroups_path = "/stack-test-x/../../escape";
  });
  EXPECT_THAT(oci_.refused({"create", "--bundle", up.path(), up.id()}), HasSubstr(".."));
}

}  // namespace
}  // namespace monitor_test
