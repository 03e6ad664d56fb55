#include "runtime/monitor/oci.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "runtime/container/bundle.hpp"
#include "runtime/container/spec_json.hpp"
#include "runtime/monitor/command_line.hpp"
#include "runtime/monitor/console.hpp"
#include "runtime/monitor/execs.hpp"
#include "runtime/monitor/features.hpp"
#include "runtime/monitor/foreground.hpp"
#include "runtime/monitor/hooks.hpp"
#include "runtime/monitor/oci_container.hpp"
#include "runtime/os/error.hpp"

namespace monitor {

namespace {

using Arguments = std::vector<std::string>;

void print(const std::string& text) { os::write_all(STDOUT_FILENO, text + "\n", "stdout"); }

/// "TERM", "SIGTERM" or "15".
int parse_signal(const std::string& text) {
  int number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed == std::errc() && end == text.data() + text.size() && number >= 0 &&
      number <= SIGRTMAX)
    return number;
  const std::string name = text.starts_with("SIG") ? text.substr(3) : text;
  for (int signal = 1; signal < NSIG; ++signal) {
    const char* abbreviation = ::sigabbrev_np(signal);
    if (abbreviation != nullptr && name == abbreviation) return signal;
  }
  throw UsageError("unknown signal '" + text + "'");
}

/// How many descriptors from 3 on the program gets. Each must be open before we open anything: a
/// number that is free would be taken by a descriptor of ours, and the container would get that.
unsigned preserved_descriptors(const CommandLine& line) {
  const std::uint64_t count = parse_number(line.value_or("preserve-fds", "0"), "preserve-fds");
  constexpr std::uint64_t kMost = 1024;
  if (count > kMost) throw UsageError("option '--preserve-fds': at most 1024");
  for (int fd = 3; fd < 3 + static_cast<int>(count); ++fd)
    if (::fcntl(fd, F_GETFD) < 0)
      throw UsageError("option '--preserve-fds': descriptor " + std::to_string(fd) +
                       " is not open");
  return static_cast<unsigned>(count);
}

OciCreateOptions create_options(const CommandLine& line) {
  OciCreateOptions options;
  options.bundle = line.value_or("bundle", ".");
  options.console_socket = line.value_or("console-socket", "");
  options.pid_file = line.value_or("pid-file", "");
  options.preserved = preserved_descriptors(line);
  options.extensions = line.flag("stack-annotations");
  return options;
}

const OptionNames& create_names() {
  static const OptionNames names{
      .with_value =
          {{"bundle", "b"}, {"console-socket"}, {"pid-file"}, {"preserve-fds"}, {"parent"}},
      .flags = {
          {"no-pivot"}, {"no-new-keyring"}, {"detach", "d"}, {"keep"}, {"stack-annotations"}}};
  return names;
}

CommandLine parse_create(const Arguments& arguments) {
  CommandLine line = CommandLine::parse(arguments, create_names(), false);
  if (line.flag("no-pivot")) throw UsageError("--no-pivot is not supported");
  return line;
}

int create(const std::string& root, const Arguments& arguments) {
  const CommandLine line = parse_create(arguments);
  const OciCreateOptions options = create_options(line);
  if (options.console_socket.empty()) {
    // Nobody would hold the terminal when this command has ended.
    const container::Spec spec = container::spec_from_json(container::parse_json(
        os::read_file(options.bundle + "/config.json"), options.bundle + "/config.json"));
    if (spec.process && spec.process->terminal)
      throw UsageError("a container with a terminal needs --console-socket");
  }
  OciContainer::create(root, line.word(0, "the container's id"), options).leave();
  return 0;
}

int start(const std::string& root, const Arguments& arguments) {
  const CommandLine line = CommandLine::parse(arguments, {}, false);
  OciContainer::open(root, line.word(0, "the container's id")).start();
  return 0;
}

/// No step of this command is made once the process that started it is gone.
void end_with(std::uint64_t parent) {
  os::check(::prctl(PR_SET_PDEATHSIG, SIGKILL),
            [] { return std::string("follow the parent's end"); });
  if (static_cast<std::uint64_t>(::getppid()) != parent)
    throw os::Error(ESRCH, "find the parent " + std::to_string(parent));
}

int run(const std::string& root, const Arguments& arguments) {
  const CommandLine line = parse_create(arguments);
  if (const auto parent = line.value("parent")) end_with(parse_number(*parent, "parent"));
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  OciContainer made =
      OciContainer::create(root, line.word(0, "the container's id"), create_options(line));
  int code = 0;
  try {
    made.start();
    if (line.flag("detach")) {
      made.leave();
      return 0;
    }
    if (made.terminal()) serve_terminal(made.terminal().get());
    code = made.wait();
  } catch (...) {
    made.remove(true);
    throw;
  }
  if (!line.flag("keep")) made.remove(true);
  return code;
}

int state(const std::string& root, const Arguments& arguments) {
  const CommandLine line = CommandLine::parse(arguments, {}, false);
  const container::State now = OciContainer::open(root, line.word(0, "the container's id")).state();
  nlohmann::json json = nlohmann::json::parse(oci_state(now));
  json["created"] = now.created_at;
  print(json.dump(2));
  return 0;
}

int kill(const std::string& root, const Arguments& arguments) {
  const CommandLine line =
      CommandLine::parse(arguments, {.with_value = {}, .flags = {{"all", "a"}}}, false);
  const int signal = parse_signal(line.words().size() > 1 ? line.words()[1] : "TERM");
  OciContainer::open(root, line.word(0, "the container's id")).kill(signal, line.flag("all"));
  return 0;
}

int remove(const std::string& root, const Arguments& arguments) {
  const CommandLine line =
      CommandLine::parse(arguments, {.with_value = {}, .flags = {{"force", "f"}}}, false);
  const std::string& id = line.word(0, "the container's id");
  if (line.flag("force") && OciContainer::clear_unfinished(root, id)) return 0;
  OciContainer::open(root, id).remove(line.flag("force"));
  return 0;
}

int list(const std::string& root, const Arguments& arguments) {
  const CommandLine line = CommandLine::parse(
      arguments, {.with_value = {{"format", "f"}}, .flags = {{"quiet", "q"}}}, false);
  nlohmann::json all = nlohmann::json::array();
  std::string text = line.flag("quiet") ? "" : "ID\tPID\tSTATUS\tBUNDLE\n";
  for (const std::string& id : OciContainer::list(root)) {
    const container::State now = OciContainer::open(root, id).state();
    all.push_back(nlohmann::json::parse(oci_state(now)));
    const std::string status(container::status_name(now.status));
    const pid_t pid = now.init && now.status != container::Status::stopped ? now.init->pid : 0;
    text += line.flag("quiet")
                ? id + "\n"
                : id + "\t" + std::to_string(pid) + "\t" + status + "\t" + now.bundle + "\n";
  }
  if (!text.empty()) text.pop_back();
  print(line.value_or("format", "table") == "json" ? all.dump() : text);
  return 0;
}

std::uint32_t parse_id(const std::string& text, const std::string& option) {
  const std::uint64_t id = parse_number(text, option);
  if (id > 0x7fffffff)
    throw UsageError("option '--" + option + "': '" + text + "' is out of range");
  return static_cast<std::uint32_t>(id);
}

void set_user(container::Process& process, const std::string& text) {
  const auto colon = text.find(':');
  process.user = container::User{};
  process.user.uid = parse_id(text.substr(0, colon), "user");
  if (colon != std::string::npos) process.user.gid = parse_id(text.substr(colon + 1), "user");
}

/// To what the container's own process has; never to the inheritable set.
void add_capabilities(container::Process& process, const std::vector<std::string>& names) {
  if (names.empty()) return;
  container::Capabilities capabilities = process.capabilities.value_or(container::Capabilities{});
  for (auto* set : {&capabilities.bounding, &capabilities.effective, &capabilities.permitted})
    set->insert(set->end(), names.begin(), names.end());
  process.capabilities = std::move(capabilities);
}

container::Process exec_process(const CommandLine& line, const container::Spec& spec) {
  if (const auto file = line.value("process"))
    return container::process_from_json(container::parse_json(os::read_file(*file), *file));
  container::Process process = *spec.process;
  process.terminal = line.flag("tty");
  process.args = {line.words().begin() + 1, line.words().end()};
  if (process.args.empty()) throw UsageError("the command is missing");
  if (const auto user = line.value("user")) set_user(process, *user);
  if (const auto cwd = line.value("cwd")) process.cwd = *cwd;
  for (const std::string& variable : line.values("env")) process.env.push_back(variable);
  if (line.flag("no-new-privs")) process.no_new_privileges = true;
  for (const std::string& group : line.values("additional-gids"))
    process.user.additional_gids.push_back(parse_id(group, "additional-gids"));
  add_capabilities(process, line.values("cap"));
  if (const auto profile = line.value("apparmor")) process.apparmor_profile = *profile;
  if (const auto label = line.value("process-label")) process.selinux_label = *label;
  return process;
}

CommandLine parse_exec(const Arguments& arguments) {
  static const OptionNames names{.with_value = {{"process", "p"},
                                                {"user", "u"},
                                                {"cwd"},
                                                {"env", "e"},
                                                {"pid-file"},
                                                {"console-socket"},
                                                {"preserve-fds"},
                                                {"additional-gids", "g"},
                                                {"cap", "c"},
                                                {"apparmor"},
                                                {"process-label"}},
                                 .flags = {{"tty", "t"}, {"detach", "d"}, {"no-new-privs"}}};
  return CommandLine::parse(arguments, names, true);
}

int exec(const std::string& root, const Arguments& arguments) {
  const CommandLine line = parse_exec(arguments);
  const unsigned preserved = preserved_descriptors(line);
  OciContainer container = OciContainer::open(root, line.word(0, "the container's id"));
  const container::Spec spec = container.spec();
  Program own = make_program(*spec.process, spec.linux.seccomp);
  own.personality = spec.linux.personality;
  ExecRequest request;
  request.program = exec_program(exec_process(line, spec), own);
  const bool terminal = request.program.process.terminal;
  request.streams = own_streams();
  request.preserved = preserved;
  Launched launched = container.exec(std::move(request));
  const auto socket = line.value("console-socket");
  if (terminal && socket) send_to_console_socket(*socket, launched.terminal.get());
  launched.sync.send(Signal::run);
  if (const auto answer = launched.sync.receive(kStepDeadline)) throw StageError(answer->failure);
  write_pid_file(line.value_or("pid-file", ""), launched.child.pid());
  if (line.flag("detach")) {
    launched.child.release();
    return 0;
  }
  if (terminal && !socket) serve_terminal(launched.terminal.get());
  return launched.child.wait().code;
}

int pause(const std::string& root, const Arguments& arguments) {
  const CommandLine line = CommandLine::parse(arguments, {}, false);
  OciContainer::open(root, line.word(0, "the container's id")).pause();
  return 0;
}

int resume(const std::string& root, const Arguments& arguments) {
  const CommandLine line = CommandLine::parse(arguments, {}, false);
  OciContainer::open(root, line.word(0, "the container's id")).resume();
  return 0;
}

int processes(const std::string& root, const Arguments& arguments) {
  const CommandLine line =
      CommandLine::parse(arguments, {.with_value = {{"format", "f"}}, .flags = {}}, false);
  const auto pids =
      OciContainer::open(root, line.word(0, "the container's id")).cgroup().processes();
  print(nlohmann::json(pids).dump());
  return 0;
}

int update(const std::string& root, const Arguments& arguments) {
  const CommandLine line =
      CommandLine::parse(arguments, {.with_value = {{"resources", "r"}}, .flags = {}}, false);
  const std::string file = line.required("resources");
  const std::string text =
      file == "-" ? os::read_all(STDIN_FILENO, os::kSmallFile, "stdin") : os::read_file(file);
  const container::Resources resources =
      container::resources_from_json(container::parse_json(text, file));
  OciContainer::open(root, line.word(0, "the container's id")).cgroup().set_limits(resources);
  return 0;
}

/// A config.json to begin with: a shell in Docker's default container.
int spec(const std::string&, const Arguments& arguments) {
  const CommandLine line =
      CommandLine::parse(arguments, {.with_value = {{"bundle", "b"}}, .flags = {}}, false);
  const std::string bundle = line.value_or("bundle", ".");
  const std::string file = bundle + "/" + std::string(container::kConfigFile);
  if (os::exists(file)) throw os::Error(EEXIST, "make '" + file + "'");
  container::Spec made = container::default_spec();
  made.process->args = {"sh"};
  made.process->terminal = true;
  made.root->readonly = true;
  container::write_bundle(bundle, made);
  return 0;
}

int features(const std::string&, const Arguments&) {
  print(features_json().dump(2));
  return 0;
}

int version() {
  print("stack-runtime version " STACK_VERSION "\nspec: " + std::string(container::kOciVersion));
  return 0;
}

struct Verb {
  std::string_view name;
  int (*run)(const std::string& root, const Arguments& arguments);
};
constexpr Verb kVerbs[] = {{"create", create}, {"start", start},      {"state", state},
                           {"kill", kill},     {"delete", remove},    {"exec", exec},
                           {"run", run},       {"list", list},        {"pause", pause},
                           {"resume", resume}, {"ps", processes},     {"update", update},
                           {"spec", spec},     {"features", features}};

void report(const CommandLine& global, const std::string& message) {
  std::fprintf(stderr, "stack-runtime: %s\n", message.c_str());
  const auto file = global.value("log");
  if (!file) return;
  std::string line = "level=error msg=" + nlohmann::json(message).dump();
  if (global.value_or("log-format", "text") == "json")
    line =
        nlohmann::json{{"level", "error"}, {"msg", message}, {"time", container::timestamp_now()}}
            .dump();
  const os::UniqueFd log = os::open_file(*file, O_WRONLY | O_CREAT | O_APPEND, 0600);
  os::write_all(log.get(), line + "\n", *file);
}

int dispatch(const CommandLine& global) {
  if (global.flag("version")) return version();
  if (global.flag("systemd-cgroup")) throw UsageError("--systemd-cgroup is not supported");
  const std::string& name = global.word(0, "the command");
  for (const Verb& verb : kVerbs)
    if (verb.name == name)
      return verb.run(global.value_or("root", "/run/stack-runtime"),
                      {global.words().begin() + 1, global.words().end()});
  throw UsageError("unknown command '" + name + "'");
}

}  // namespace

int run_oci(const std::vector<std::string>& arguments) {
  const CommandLine global =
      CommandLine::parse(arguments,
                         {.with_value = {{"root"}, {"log"}, {"log-format"}, {"criu"}, {"rootless"}},
                          .flags = {{"systemd-cgroup"}, {"debug"}, {"version", "v"}}},
                         true);
  remember_oom_score(false);
  try {
    return dispatch(global);
  } catch (const StageError& error) {
    report(global, error.what());
    return error.failure().exit_code();
  } catch (const std::exception& error) {
    report(global, error.what());
    return dynamic_cast<const UsageError*>(&error) != nullptr ? 64 : 125;
  }
}

}  // namespace monitor
