// Hooks (runtime-spec, "POSIX-platform Hooks"): when they run, where, with what, and what becomes
// of the container when one fails.

#include <sstream>

#include "monitor_client.hpp"
#include "oci_runtime.hpp"

namespace monitor_test {
namespace {

container::Hook hook(const std::string& script) {
  return {.path = "/bin/sh",
          .args = {"sh", "-c", script},
          .env = {"PATH=/bin:/usr/bin"},
          .timeout = {}};
}

class OciHooks : public ::testing::Test {
 protected:
  /// A hook that adds a line to the journal; the container has the journal's directory at /journal.
  container::Hook note(const std::string& text, bool inside = false) const {
    return hook("echo \"" + text + "\" >> " + (inside ? "/journal" : directory_.path()) +
                "/journal");
  }
  std::string journal() const {
    return os::read_file_if_exists(directory_.path() + "/journal").value_or("");
  }
  void mount_journal(container::Spec& spec) const {
    container::Mount mount;
    mount.destination = "/journal";
    mount.type = "bind";
    mount.source = directory_.path();
    mount.options = {"bind"};
    spec.mounts.push_back(mount);
  }
  /// What a creation and a start give when one hook fails.
  struct Ends {
    int create;
    int start;
    std::string err;
  };
  Ends run_with(const std::function<void(container::Spec&)>& edit) {
    const Bundle bundle({"sleep", "60"}, edit);
    const auto created = oci_.run({"create", "--bundle", bundle.path(), bundle.id()});
    if (created.code != 0) {
      EXPECT_THAT(os::list_directory(oci_.root()), IsEmpty());
      EXPECT_FALSE(os::exists(bundle.cgroup("memory")));
      return {created.code, -1, created.err};
    }
    const auto started = oci_.run({"start", bundle.id()});
    if (started.code != 0) {
      EXPECT_TRUE(oci_.wait_for_status(bundle.id(), "stopped"));
    }
    oci_.must({"delete", "--force", bundle.id()});
    return {created.code, started.code, started.err};
  }

  os::TempDir directory_;
  OciRuntime oci_;
};

// hooks, prestart, poststart, poststop
TEST_F(OciHooks, RunInTheirOrder) {
  const Bundle bundle(shell("echo program >> /journal/journal"), [&](container::Spec& spec) {
    mount_journal(spec);
    spec.hooks.prestart = {note("prestart 1"), note("prestart 2")};
    spec.hooks.create_runtime = {note("createRuntime")};
    spec.hooks.create_container = {note("createContainer")};
    spec.hooks.start_container = {note("startContainer", true)};
    spec.hooks.poststart = {note("poststart")};
    spec.hooks.poststop = {note("poststop")};
  });
  oci_.must({"create", "--bundle", bundle.path(), bundle.id()});
  EXPECT_EQ(journal(), "prestart 1\nprestart 2\ncreateRuntime\ncreateContainer\n");
  oci_.must({"start", bundle.id()});
  EXPECT_TRUE(oci_.wait_for_status(bundle.id(), "stopped"));
  EXPECT_THAT(journal(), HasSubstr("createContainer\nstartContainer\nprogram\n"));
  EXPECT_THAT(journal(), HasSubstr("poststart\n"));
  EXPECT_THAT(journal(), Not(HasSubstr("poststop")));
  oci_.must({"delete", bundle.id()});
  EXPECT_THAT(journal(), HasSubstr("poststop\n"));
}

// hooks_stdin
TEST_F(OciHooks, GetTheStateOnTheirInput) {
  const std::string out = directory_.path();
  const auto keep = [&](const std::string& name) { return hook("cat > " + out + "/" + name); };
  const Bundle bundle({"true"}, [&](container::Spec& spec) {
    mount_journal(spec);
    spec.annotations["org.example"] = "yes";
    spec.hooks.prestart = {keep("prestart")};
    spec.hooks.create_runtime = {keep("createRuntime")};
    spec.hooks.create_container = {keep("createContainer")};
    spec.hooks.start_container = {hook("cat > /journal/startContainer")};
    spec.hooks.poststart = {keep("poststart")};
    spec.hooks.poststop = {keep("poststop")};
  });
  oci_.must({"create", "--bundle", bundle.path(), bundle.id()});
  const int pid = oci_.state(bundle.id()).at("pid").get<int>();
  oci_.must({"start", bundle.id()});
  EXPECT_TRUE(oci_.wait_for_status(bundle.id(), "stopped"));
  oci_.must({"delete", bundle.id()});
  for (const auto& [name, status] : {std::pair{"prestart", "creating"},
                                     {"createRuntime", "creating"},
                                     {"createContainer", "creating"},
                                     {"startContainer", "created"},
                                     {"poststart", "running"},
                                     {"poststop", "stopped"}}) {
    const auto state = nlohmann::json::parse(os::read_file_if_exists(out + "/" + name).value_or(""),
                                             nullptr, false);
    EXPECT_EQ(state.value("id", ""), bundle.id()) << name;
    EXPECT_EQ(state.value("status", ""), status) << name;
    EXPECT_EQ(state.value("bundle", ""), bundle.path()) << name;
    EXPECT_EQ(state.value("ociVersion", "").substr(0, 2), "1.") << name;
    EXPECT_EQ(state.value("annotations", nlohmann::json()).value("org.example", ""), "yes") << name;
    if (name != std::string("poststop")) {
      EXPECT_EQ(state.value("pid", 0), pid) << name;
    }
  }
}

TEST_F(OciHooks, RunInTheNamespacesTheyBelongTo) {
  const std::string show = "readlink /proc/self/ns/mnt; hostname";
  const std::string out = directory_.path();
  const Bundle bundle({"true"}, [&](container::Spec& spec) {
    mount_journal(spec);
    spec.hooks.create_runtime = {hook("(" + show + ") > " + out + "/createRuntime")};
    spec.hooks.create_container = {hook("(" + show + ") > " + out + "/createContainer")};
    spec.hooks.start_container = {hook("(" + show + "; ls /) > /journal/startContainer")};
  });
  oci_.must({"run", "--bundle", bundle.path(), bundle.id()});
  const std::string own = std::filesystem::read_symlink("/proc/self/ns/mnt").string();
  EXPECT_THAT(os::read_file(out + "/createRuntime"), HasSubstr(own));
  const std::string container = os::read_file(out + "/createContainer");
  EXPECT_THAT(container, Not(HasSubstr(own)));
  const std::string started = os::read_file(out + "/startContainer");
  EXPECT_EQ(started.substr(0, started.find("\n")), container.substr(0, container.find("\n")));
  EXPECT_THAT(started, HasSubstr("box\n"));
  EXPECT_THAT(started, Not(HasSubstr("usr\n"))) << "the container's root";
}

// prestart_fail, poststart_fail, poststop_fail
TEST_F(OciHooks, AFailureEndsTheContainer) {
  const auto fails = hook("echo it broke; exit 7");
  for (const char* point : {"prestart", "createRuntime", "createContainer"}) {
    const Ends ends = run_with([&](container::Spec& spec) {
      const std::string name = point;
      std::vector<container::Hook>& hooks = name == "prestart"        ? spec.hooks.prestart
                                            : name == "createRuntime" ? spec.hooks.create_runtime
                                                                      : spec.hooks.create_container;
      hooks.push_back(fails);
      hooks.push_back(note("next"));
    });
    EXPECT_NE(ends.create, 0) << point;
    EXPECT_THAT(ends.err, HasSubstr("it broke")) << point;
    EXPECT_THAT(ends.err, HasSubstr(point));
  }
  const Ends start = run_with([&](container::Spec& spec) { spec.hooks.start_container = {fails}; });
  EXPECT_EQ(start.create, 0);
  EXPECT_NE(start.start, 0);
  const Ends post = run_with([&](container::Spec& spec) { spec.hooks.poststart = {fails}; });
  EXPECT_NE(post.start, 0) << "and the container is stopped";
  EXPECT_EQ(journal(), "") << "no hook after one that failed";
}

TEST_F(OciHooks, AFailureAfterTheEndIsOnlyAWarning) {
  const Bundle bundle({"true"},
                      [&](container::Spec& spec) { spec.hooks.poststop = {hook("exit 1")}; });
  oci_.must({"create", "--bundle", bundle.path(), bundle.id()});
  oci_.must({"start", bundle.id()});
  EXPECT_TRUE(oci_.wait_for_status(bundle.id(), "stopped"));
  const auto deleted = oci_.run({"delete", bundle.id()});
  EXPECT_EQ(deleted.code, 0);
  EXPECT_THAT(deleted.err, HasSubstr("poststop"));
  EXPECT_THAT(os::list_directory(oci_.root()), IsEmpty());
}

TEST_F(OciHooks, TheTimeoutEndsAHook) {
  const Ends ends = run_with([&](container::Spec& spec) {
    container::Hook slow = hook("sleep 60");
    slow.timeout = 1;
    spec.hooks.create_runtime = {slow};
  });
  EXPECT_NE(ends.create, 0);
  EXPECT_THAT(ends.err, HasSubstr("timed out"));
}

TEST_F(OciHooks, InsideTheContainerTheyAreAsConfinedAsIt) {
  const Bundle bundle({"true"}, [&](container::Spec& spec) {
    mount_journal(spec);
    ::chmod(directory_.path().c_str(), 0777);
    spec.process->user.uid = 1000;
    spec.hooks.start_container = {hook(
        "(id -u; grep -E 'CapEff|Seccomp:' /proc/self/status; ls /proc/$$/fd) > /journal/out")};
  });
  oci_.must({"run", "--bundle", bundle.path(), bundle.id()});
  EXPECT_THAT(os::read_file(directory_.path() + "/out"),
              HasSubstr("1000\nCapEff:\t0000000000000000\nSeccomp:\t2\n0\n1\n2\n"));
}

}  // namespace
}  // namespace monitor_test
