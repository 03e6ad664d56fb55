// The life of a container through the command line of an OCI runtime (runtime-spec, "Runtime and
// Lifecycle"): what each command does in each state, and what it refuses.
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>

#include "monitor_client.hpp"
#include "oci_runtime.hpp"
#include "runtime/container/bundle.hpp"
#include "runtime/os/channel.hpp"

namespace monitor_test {
namespace {

class OciLife : public ::testing::Test {
 protected:
  /// A container of that id that waits at its gate.
  std::string create(const Bundle& bundle, const std::vector<std::string>& options = {}) {
    std::vector<std::string> arguments = {"create", "--bundle", bundle.path()};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.push_back(bundle.id());
    oci_.must(arguments);
    return bundle.id();
  }
  OciRuntime oci_;
};

// runtime-tools: state, start, kill, delete
TEST_F(OciLife, GoesThroughItsStates) {
  const Bundle bundle({"sleep", "60"},
                      [](container::Spec& spec) { spec.annotations["org.example"] = "yes"; });
  oci_.refused({"state", bundle.id()});
  const std::string id = create(bundle);
  const nlohmann::json created = oci_.state(id);
  EXPECT_EQ(created.at("status"), "created");
  EXPECT_EQ(created.at("id"), id);
  EXPECT_EQ(created.at("bundle"), bundle.path());
  EXPECT_EQ(created.at("annotations").at("org.example"), "yes");
  EXPECT_THAT(created.at("ociVersion").get<std::string>(), HasSubstr("1."));
  EXPECT_TRUE(os::exists("/proc/" + std::to_string(created.at("pid").get<int>())));
  oci_.must({"start", id});
  EXPECT_EQ(oci_.status(id), "running");
  EXPECT_EQ(oci_.state(id).at("pid"), created.at("pid"));
  EXPECT_THAT(oci_.refused({"start", id}), HasSubstr("running"));
  EXPECT_THAT(oci_.refused({"delete", id}), HasSubstr("running"));
  oci_.must({"kill", id, "KILL"});
  EXPECT_TRUE(oci_.wait_for_status(id, "stopped"));
  EXPECT_FALSE(oci_.state(id).contains("pid"));
  EXPECT_THAT(oci_.refused({"start", id}), HasSubstr("stopped"));
  oci_.must({"delete", id});
  EXPECT_THAT(oci_.refused({"state", id}), HasSubstr("does not exist"));
  EXPECT_THAT(os::list_directory(oci_.root()), IsEmpty());
}

// create
TEST_F(OciLife, CreateSaysWhatIsWrongAndLeavesNothing) {
  const Bundle bundle({"true"});
  oci_.refused({"create", "--bundle", bundle.path()});
  oci_.refused({"create", "--bundle", bundle.path(), ""});
  oci_.refused({"create", "--bundle", bundle.path(), "../x"});
  EXPECT_THAT(oci_.refused({"create", "--bundle", "/nonexistent", "x"}), HasSubstr("/nonexistent"));
  const Bundle broken({"true"}, [](container::Spec& spec) { spec.root->path = "/nonexistent"; });
  EXPECT_THAT(oci_.refused({"create", "--bundle", broken.path(), broken.id()}),
              HasSubstr("/nonexistent"));
  EXPECT_FALSE(os::exists(broken.cgroup("memory")));
  EXPECT_THAT(os::list_directory(oci_.root()), IsEmpty());
  create(bundle);
  EXPECT_THAT(oci_.refused({"create", "--bundle", bundle.path(), bundle.id()}),
              HasSubstr("exists"));
  EXPECT_EQ(oci_.status(bundle.id()), "created") << "the first one is as it was";
}

// kill, killsig, kill_no_effect
TEST_F(OciLife, KillSendsTheSignalItIsTold) {
  const Bundle bundle(shell("trap 'echo usr1 > /got; exit 3' USR1; : > /ready; "
                            "while :; do sleep 0.05; done"),
                      [](container::Spec& spec) { spec.process->cwd = "/"; });
  oci_.refused({"kill", "nobody", "TERM"});
  const std::string id = create(bundle);
  oci_.refused({"kill", id, "NOSUCH"});
  oci_.refused({"kill", id, "999"});
  oci_.must({"start", id});
  const std::string root = busybox_root();
  ASSERT_TRUE(support::wait_until([&] { return os::exists(root + "/ready"); }));
  for (const char* harmless : {"0", "WINCH", "SIGWINCH"}) oci_.must({"kill", id, harmless});
  oci_.must({"kill", id, "SIGUSR1"});
  EXPECT_TRUE(oci_.wait_for_status(id, "stopped"));
  EXPECT_EQ(os::read_file(root + "/got"), "usr1\n");
  EXPECT_THAT(oci_.refused({"kill", id, "KILL"}), HasSubstr("container not running"));
  oci_.must({"kill", "--all", id, "KILL"});
  EXPECT_EQ(oci_.status(id), "stopped");
  fs::remove(root + "/ready");
  fs::remove(root + "/got");
}

TEST_F(OciLife, ACreatedOneCanBeKilledAndDeleted) {
  const Bundle one({"sleep", "60"}), other({"sleep", "60"});
  oci_.must({"kill", create(one), "9"});
  EXPECT_TRUE(oci_.wait_for_status(one.id(), "stopped"));
  oci_.must({"delete", one.id()});
  oci_.must({"delete", "--force", create(other)});
  oci_.must({"delete", "--force", "nobody"});
  oci_.refused({"delete", "nobody"});
  EXPECT_THAT(oci_.refused({"delete", "--force=false", create(one)}), HasSubstr("created"));
}

// config_updates_without_affect
TEST_F(OciLife, WhatTheBundleSaysLaterDoesNotCount) {
  const Bundle bundle(shell("hostname"), [](container::Spec& spec) { spec.hostname = "before"; });
  const os::TempDir directory;
  const std::string file = directory.path() + "/out";
  support::CommandOptions options;
  const std::string id = create(bundle);
  container::Spec changed = container::read_bundle(bundle.path());
  changed.hostname = "after";
  changed.process->args = {"false"};
  container::write_bundle(bundle.path(), changed);
  oci_.must({"start", id});
  EXPECT_TRUE(oci_.wait_for_status(id, "stopped"));
  fs::remove(bundle.path() + "/config.json");
  oci_.must({"delete", id});
}

// delete_resources, delete_only_create_resources
TEST_F(OciLife, DeleteTakesItsOwnGroupsAndNoOthers) {
  const Bundle bundle({"sleep", "60"});
  const std::string id = create(bundle);
  const std::string own = bundle.cgroup("memory") + "/" + id;
  const std::string foreign = bundle.cgroup("memory") + "/foreign";
  EXPECT_TRUE(os::exists(own));
  ASSERT_EQ(::mkdir(foreign.c_str(), 0755), 0);
  oci_.must({"delete", "--force", id});
  EXPECT_FALSE(os::exists(own));
  EXPECT_TRUE(os::exists(foreign));
  ::rmdir(foreign.c_str());
  ::rmdir(bundle.cgroup("memory").c_str());
}

// misc_props
TEST_F(OciLife, UnknownPropertiesAreIgnoredAndWrongOnesAreNot) {
  const Bundle bundle({"true"});
  const std::string file = bundle.path() + "/config.json";
  const nlohmann::json good = nlohmann::json::parse(os::read_file(file));
  const auto with = [&](const nlohmann::json& patch) {
    nlohmann::json changed = good;
    changed.merge_patch(patch);
    os::write_file_atomic(file, changed.dump());
    const support::Output output = oci_.run({"run", "--bundle", bundle.path(), bundle.id()});
    return output.code == 0 ? std::string() : output.err;
  };
  EXPECT_EQ(with({{"unknown", {{"a", 1}}}, {"process", {{"unknown", true}}}}), "");
  EXPECT_EQ(with({{"annotations", {{"com.example.key", ""}}}}), "");
  EXPECT_THAT(with({{"ociVersion", "invalid"}}), HasSubstr("ociVersion"));
  EXPECT_THAT(with({{"ociVersion", "2.0.0"}}), HasSubstr("ociVersion"));
  EXPECT_THAT(with({{"process", {{"args", nlohmann::json::array()}}}}), HasSubstr("process.args"));
  EXPECT_THAT(with({{"process", {{"cwd", "relative"}}}}), HasSubstr("process.cwd"));
  EXPECT_THAT(with({{"process", nullptr}}), HasSubstr("process"));
  EXPECT_THAT(with({{"root", nullptr}}), HasSubstr("root"));
  EXPECT_THAT(with({{"hostname", std::string(65, 'a')}}), HasSubstr("hostname"));
  os::write_file_atomic(file, "{\"ociVersion\": ");
  EXPECT_THAT(oci_.refused({"run", "--bundle", bundle.path(), bundle.id()}),
              HasSubstr("config.json"));
}

// An engine hands annotations of its users on; ours name directories of the host.
TEST_F(OciLife, AnnotationsOfOursDoNotCount) {
  const Bundle bundle(shell("ls /; cat /proc/1/comm; true"), [](container::Spec& spec) {
    spec.annotations["stack.rootfs"] = R"({"lower": ["/etc"]})";
    spec.annotations["stack.init"] = "true";
  });
  EXPECT_THAT(oci_.output_of(bundle.path(), bundle.id()),
              AllOf(HasSubstr("bin\n"), Not(HasSubstr("shadow")), HasSubstr("sh\n"),
                    Not(HasSubstr("init"))));
}

// pidfile
TEST_F(OciLife, PidFilesHoldThePid) {
  const Bundle bundle({"sleep", "60"});
  const os::TempDir directory;
  const std::string id = create(bundle, {"--pid-file", directory.path() + "/pid"});
  EXPECT_EQ(os::read_file(directory.path() + "/pid"),
            std::to_string(oci_.state(id).at("pid").get<int>()));
  oci_.must({"start", id});
  oci_.must({"exec", "--detach", "--pid-file", directory.path() + "/exec", id, "sleep", "50"});
  const std::string pid = os::read_file(directory.path() + "/exec");
  EXPECT_THAT(oci_.must({"ps", "--format", "json", id}), HasSubstr(pid));
}

TEST_F(OciLife, ExecAddsAProcess) {
  const Bundle bundle({"sleep", "60"});
  oci_.refused({"exec", "nobody", "true"});
  const std::string id = create(bundle);
  EXPECT_THAT(oci_.refused({"exec", id, "true"}), HasSubstr("created"));
  oci_.must({"start", id});
  EXPECT_EQ(oci_.run({"exec", id, "/bin/sh", "-c", "exit 5"}).code, 5);
  EXPECT_EQ(
      oci_.must({"exec", "--cwd", "/tmp", "--env", "A=b", "-u", "7:8", "-g", "9", id, "/bin/sh",
                 "-c", "pwd; echo $A; id -u; id -g; id -G; grep NoNew /proc/self/status"}),
      "/tmp\nb\n7\n8\n8 9\nNoNewPrivs:\t0\n");
  EXPECT_THAT(oci_.must({"exec", "--no-new-privs", "--cap", "CAP_NET_ADMIN", id, "grep", "-E",
                         "NoNew|CapEff|CapInh", "/proc/self/status"}),
              AllOf(HasSubstr("NoNewPrivs:\t1"), HasSubstr("CapEff:\t00000000a80435fb"),
                    HasSubstr("CapInh:\t0000000000000000")));
  EXPECT_EQ(oci_.run({"exec", id, "nonexistent"}).code, 127);
  EXPECT_EQ(oci_.run({"exec", id, "/etc"}).code, 126);
  EXPECT_EQ(oci_.run({"exec", id, "/bin/sh", "-c", "kill -TERM $$"}).code, 143);
  const os::TempDir directory;
  const std::string file = directory.path() + "/process.json";
  os::write_file_atomic(file, R"({"args": ["id", "-u"], "cwd": "/", "env": ["PATH=/bin"],
                                  "user": {"uid": 12, "gid": 0}})");
  EXPECT_EQ(oci_.must({"exec", "--process", file, id}), "12\n");
  oci_.must({"pause", id});
  EXPECT_THAT(oci_.refused({"exec", id, "true"}), HasSubstr("paused"));
  EXPECT_EQ(oci_.status(id), "paused");
  oci_.must({"resume", id});
  EXPECT_EQ(oci_.status(id), "running");
}

// Descriptors that the caller does not have would be taken by descriptors of the runtime.
TEST_F(OciLife, PreservesDescriptorsThatAreOpenAndNoOthers) {
  const Bundle bundle(shell("ls /proc/$$/fd; readlink /proc/$$/fd/3"));
  EXPECT_THAT(oci_.refused({"run", "--preserve-fds", "3", "--bundle", bundle.path(), bundle.id()}),
              HasSubstr("is not open"));
  oci_.refused({"run", "--preserve-fds", "99999999", "--bundle", bundle.path(), bundle.id()});
  const std::string command = "exec 3</etc/hostname; exec " + runtime_path() + " --root " +
                              oci_.root() + " run --preserve-fds 1 --bundle " + bundle.path() +
                              " " + bundle.id();
  const support::Output output = support::run({"/bin/sh", "-c", command}, {});
  EXPECT_THAT(output.out, HasSubstr("0\n1\n2\n3\n"));
  EXPECT_THAT(output.out, Not(HasSubstr("4\n")));
}

TEST_F(OciLife, HandsTheTerminalToTheConsoleSocket) {
  const Bundle bundle(shell("tty; test -t 0 && echo terminal"),
                      [](container::Spec& spec) { spec.process->terminal = true; });
  EXPECT_THAT(oci_.refused({"create", "--bundle", bundle.path(), bundle.id()}),
              HasSubstr("--console-socket"));
  const os::TempDir directory;
  const std::string path = directory.path() + "/console.sock";
  const os::UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  const std::string id = create(bundle, {"--console-socket", path});
  const os::UniqueFd connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  auto message = os::receive_message(connection.get());
  ASSERT_TRUE(message);
  ASSERT_EQ(message->fds.size(), 1U);
  oci_.must({"start", id});
  std::string text;
  support::wait_until([&] {
    char buffer[256];
    const ssize_t size = ::read(message->fds.front().get(), buffer, sizeof buffer);
    if (size > 0) text.append(buffer, static_cast<std::size_t>(size));
    return text.find("terminal") != std::string::npos;
  });
  EXPECT_THAT(text, HasSubstr("/dev/pts/0\r\nterminal"));
  const Bundle plain({"true"});
  EXPECT_THAT(
      oci_.refused({"create", "--console-socket", path, "--bundle", plain.path(), plain.id()}),
      HasSubstr("process.terminal"));
}

TEST_F(OciLife, WritesErrorsWhereTheEngineReadsThem) {
  const os::TempDir directory;
  const std::string log = directory.path() + "/log";
  oci_.run({"state", "nobody"}, {"--log", log, "--log-format", "json", "--debug"});
  const auto json = nlohmann::json::parse(os::read_file(log), nullptr, false);
  EXPECT_EQ(json.value("level", ""), "error");
  EXPECT_THAT(json.value("msg", ""), HasSubstr("does not exist"));
  oci_.run({"state", "nobody"}, {"--log=" + log + ".text"});
  EXPECT_THAT(os::read_file(log + ".text"), AllOf(HasSubstr("level=error"), HasSubstr("nobody")));
}

TEST_F(OciLife, SaysWhatItCanDo) {
  const auto features = nlohmann::json::parse(oci_.must({"features"}));
  EXPECT_EQ(features.at("ociVersionMin"), "1.0.0");
  EXPECT_EQ(features.at("hooks").size(), 6U);
  EXPECT_EQ(features.at("linux").at("namespaces").size(), 8U);
  EXPECT_EQ(features.at("linux").at("cgroup").at("systemd"), false);
  EXPECT_THAT(oci_.must({"--version"}),
              AllOf(HasSubstr("stack-runtime version"), HasSubstr("spec: 1.")));
  EXPECT_NE(oci_.run({"state", "x"}, {"--systemd-cgroup"}).code, 0);
  EXPECT_THAT(oci_.run({"state", "x"}, {"--systemd-cgroup=false"}).err,
              HasSubstr("does not exist"));
  EXPECT_THAT(oci_.refused({"nonsense"}), HasSubstr("nonsense"));
  EXPECT_THAT(oci_.refused({}), HasSubstr("command"));
}

TEST_F(OciLife, SpecIsABundleToBeginWith) {
  const os::TempDir directory;
  oci_.must({"spec", "--bundle", directory.path()});
  oci_.refused({"spec", "--bundle", directory.path()});
  container::Spec spec = container::read_bundle(directory.path());
  EXPECT_THAT(container::validate(spec), IsEmpty());
  spec.root->path = busybox_root();
  spec.process->terminal = false;
  spec.process->args = {"echo", "hello"};
  container::write_bundle(directory.path(), spec);
  EXPECT_EQ(oci_.output_of(directory.path(), "made-from-spec"), "hello\n");
}

TEST_F(OciLife, RunPassesTheExitCodeOn) {
  const Bundle bundle(shell("exit 9"));
  EXPECT_EQ(oci_.run({"run", "--bundle", bundle.path(), bundle.id()}).code, 9);
  EXPECT_THAT(os::list_directory(oci_.root()), IsEmpty());
  oci_.must({"run", "--detach", "--bundle", bundle.path(), bundle.id()});
  EXPECT_TRUE(oci_.wait_for_status(bundle.id(), "stopped"));
  EXPECT_THAT(oci_.must({"list", "--quiet"}), HasSubstr(bundle.id()));
}

// What a killed `create` leaves can be taken away, whenever it was killed.
TEST_F(OciLife, AnUnfinishedCreationCanBeDeleted) {
  ASSERT_EQ(::mkdir((oci_.root() + "/early").c_str(), 0711), 0);
  oci_.must({"delete", "--force", "early"});
  const Bundle bundle({"true"}, [](container::Spec& spec) {
    spec.hooks.create_runtime = {
        {.path = "/bin/sleep", .args = {"sleep", "30"}, .env = {}, .timeout = {}}};
  });
  support::Command creating(
      {runtime_path(), "--root", oci_.root(), "create", "--bundle", bundle.path(), bundle.id()},
      {});
  const std::string group = bundle.cgroup("memory") + "/" + bundle.id();
  ASSERT_TRUE(support::wait_until(
      [&] { return !os::read_file_if_exists(group + "/cgroup.procs").value_or("").empty(); }));
  creating.send_signal(SIGKILL);
  creating.wait();
  EXPECT_EQ(oci_.status(bundle.id()), "creating");
  oci_.must({"delete", bundle.id()});
  EXPECT_FALSE(os::exists(group));
  EXPECT_THAT(os::list_directory(oci_.root()), IsEmpty());
}

// Two at once: one starts it, the other is told no.
TEST_F(OciLife, IsStartedOnce) {
  for (int i = 0; i < 10; ++i) {
    const Bundle bundle({"sleep", "60"});
    const std::string id = create(bundle);
    std::vector<std::unique_ptr<support::Command>> starts;
    for (int n = 0; n < 4; ++n)
      starts.push_back(std::make_unique<support::Command>(
          std::vector<std::string>{runtime_path(), "--root", oci_.root(), "start", id},
          support::CommandOptions{}));
    int successes = 0;
    for (const auto& each : starts) successes += each->wait().code == 0 ? 1 : 0;
    EXPECT_EQ(successes, 1);
    oci_.must({"delete", "--force", id});
  }
}

}  // namespace
}  // namespace monitor_test
