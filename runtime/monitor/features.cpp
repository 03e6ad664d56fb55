#include "runtime/monitor/features.hpp"

#include <nlohmann/json.hpp>

#include "runtime/container/capability.hpp"
#include "runtime/container/spec.hpp"

namespace monitor {

nlohmann::json features_json() {
  return {
      {"ociVersionMin", "1.0.0"},
      {"ociVersionMax", std::string(container::kOciVersion)},
      {"hooks",
       {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}},
      {"mountOptions", {"acl",         "async",        "atime",       "bind",
                        "defaults",    "dev",          "diratime",    "dirsync",
                        "exec",        "idmap",        "iversion",    "lazytime",
                        "loud",        "mand",         "noacl",       "noatime",
                        "nodev",       "nodiratime",   "noexec",      "noiversion",
                        "nolazytime",  "nomand",       "norelatime",  "nostrictatime",
                        "nosuid",      "nosymfollow",  "private",     "ratime",
                        "rbind",       "rdev",         "rdiratime",   "relatime",
                        "rexec",       "ridmap",       "rnoatime",    "rnodev",
                        "rnodiratime", "rnoexec",      "rnorelatime", "rnostrictatime",
                        "rnosuid",     "rnosymfollow", "ro",          "rprivate",
                        "rrelatime",   "rro",          "rrw",         "rshared",
                        "rslave",      "rstrictatime", "rsuid",       "rsymfollow",
                        "runbindable", "rw",           "shared",      "silent",
                        "slave",       "strictatime",  "suid",        "symfollow",
                        "sync",        "unbindable"}},
      {"linux",
       {{"namespaces", {"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"}},
        {"capabilities", container::capability_names(container::all_capabilities())},
        {"cgroup", {{"v1", true}, {"v2", true}, {"systemd", false}, {"systemdUser", false}}},
        {"seccomp",
         {{"enabled", true},
          {"actions",
           {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
            "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP"}},
          {"operators",
           {"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT",
            "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE"}}}},
        {"apparmor", {{"enabled", true}}},
        {"selinux", {{"enabled", true}}},
        {"mountExtensions", {{"idmap", {{"enabled", true}}}}}}}};
}

}  // namespace monitor
