#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "manifests/dotenv.hpp"
#include "manifests/port_spec.hpp"
#include "manifests/print.hpp"
#include "manifests/values.hpp"
#include "manifests/volume_spec.hpp"
#include "orchestrator/cli/attached_run.hpp"
#include "orchestrator/cli/building.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/image_policy.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/cli/request.hpp"
#include "orchestrator/planning.hpp"
#include "orchestrator/preflight.hpp"
#include "runtime/os/error.hpp"

namespace cli {

namespace {

using Json = orchestrator::protocol::Json;

struct RunFlags {
  orchestrator::protocol::Run request;
  std::vector<std::string> words;  ///< service, program, arguments
  std::vector<std::string> environment;
  std::vector<std::string> environment_files;
  std::vector<std::string> labels;
  std::vector<std::string> volumes;
  std::vector<std::string> ports;
  std::optional<std::string> entrypoint;
  std::string pull;
  bool detach = false;
  bool no_tty = false;
  bool interactive = true;
  bool build = false;
  bool quiet = false;
  bool quiet_build = false;
};

void declare(CommandLine& line, RunFlags& flags) {
  auto& request = flags.request;
  line.flag("-d,--detach", flags.detach, "Print the container's id and return");
  line.flag("--rm", request.remove, "Remove the container when it has ended");
  line.list("-e,--env", flags.environment, "NAME=VALUE", "Set a variable");
  line.list("--env-from-file", flags.environment_files, "FILE", "Set variables from a file");
  line.list("-l,--label", flags.labels, "NAME=VALUE", "Add a label");
  line.option("-u,--user", request.user, "USER", "Run as this user (name or id, :group)");
  line.option("-w,--workdir", request.working_dir, "DIR", "Run in this directory");
  line.list("-v,--volume", flags.volumes, "SOURCE:TARGET[:ro]", "Mount something more");
  line.list("-p,--publish", flags.ports, "HOST:CONTAINER", "Publish a port");
  line.flag("-P,--service-ports", request.service_ports, "Publish the ports of the service");
  line.option("--name", request.name, "NAME", "The container's name");
  line.option("--entrypoint", flags.entrypoint, "COMMAND", "In place of the entrypoint");
  line.flag("--no-deps", request.no_deps, "Do not start what the service depends on");
  line.flag("--use-aliases", request.use_aliases, "Answer to the service's names");
  line.flag("-T,--no-tty,--no-TTY", flags.no_tty, "Give it no terminal");
  line.flag("-i,--interactive", flags.interactive, "Pass standard input on (the default)");
  line.list("--cap-add", request.cap_add, "CAPABILITY", "Add a capability");
  line.list("--cap-drop", request.cap_drop, "CAPABILITY", "Drop a capability");
  line.flag("--remove-orphans", request.remove_orphans, "");
  line.flag("--build", flags.build, "Build the image first, missing or not");
  line.option("--pull", flags.pull, "POLICY", "Fetch images: always, missing or never");
  line.flag("-q,--quiet,--quiet-pull", flags.quiet, "");
  line.flag("--quiet-build", flags.quiet_build, "");
  line.command("SERVICE [PROGRAM [ARGUMENT...]]", flags.words, 1);
  line.example("stack run --rm web npm test", "one command, with what web depends on");
  line.example("stack run --rm -it web sh", "a shell in a container like web's");
  line.example("stack run --rm -P -e DEBUG=1 web", "web itself, in the foreground");
}

std::pair<std::string, std::string> split_pair(const std::string& text) {
  const auto equals = text.find('=');
  return {text.substr(0, equals), equals == std::string::npos ? "" : text.substr(equals + 1)};
}

void read_environment(const Invocation& invocation, RunFlags& flags) {
  manifests::Diagnostics diagnostics;
  manifests::Variables variables;
  const auto lookup = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = invocation.environment.find(name);
    if (found == invocation.environment.end()) return std::nullopt;
    return found->second;
  };
  for (const std::string& file : flags.environment_files)
    manifests::parse_env_file(
        manifests::read_source(file, {}, manifests::FileKind::regular_or_pipe),
        manifests::EnvFormat::dotenv, lookup, variables, diagnostics);
  diagnostics.throw_if_errors();
  for (const std::string& text : flags.environment) {
    if (text.find('=') != std::string::npos)
      variables.insert_or_assign(split_pair(text).first, split_pair(text).second);
    else if (const auto own = lookup(text))
      variables.insert_or_assign(text, *own);
  }
  flags.request.environment = std::move(variables);
}

template <class T>
const T& read_or_throw(const manifests::Parsed<T>& parsed, const std::string& text) {
  if (const auto* reason = std::get_if<manifests::Unreadable>(&parsed))
    throw os::Error("\"" + text + "\": " + reason->reason);
  return std::get<T>(parsed);
}

/// `-v` and `-p` in the long form, as the model prints them.
void read_mounts_and_ports(const Invocation& invocation, RunFlags& flags) {
  manifests::Service extra;
  for (const std::string& text : flags.volumes) {
    const auto parsed = manifests::parse_volume_spec(text);
    manifests::Mount mount = read_or_throw<manifests::Mount>(parsed, text);
    if (mount.type == manifests::MountType::bind) {
      if (mount.source.starts_with("~"))
        if (const auto home = invocation.environment.find("HOME");
            home != invocation.environment.end())
          mount.source.replace(0, 1, home->second);
      mount.source = std::filesystem::absolute(mount.source).lexically_normal().string();
    }
    extra.volumes.push_back(std::move(mount));
  }
  for (const std::string& text : flags.ports) {
    const auto parsed = manifests::parse_port_spec(text);
    const auto& ports = read_or_throw<std::vector<manifests::Port>>(parsed, text);
    extra.ports.insert(extra.ports.end(), ports.begin(), ports.end());
  }
  const Json model = manifests::to_json(extra, manifests::Detail::complete);
  flags.request.volumes = model.value("volumes", Json::array());
  flags.request.ports = model.value("ports", Json::array());
}

void complete_request(const Invocation& invocation, RunFlags& flags,
                      const manifests::Stack& stack) {
  auto& request = flags.request;
  request.stack = manifests::to_json(stack, manifests::Detail::complete);
  request.working_directory = stack.working_directory;
  request.config_files = stack.config_files;
  request.service = flags.words.front();
  request.command.assign(flags.words.begin() + 1, flags.words.end());
  if (flags.entrypoint) {
    request.has_entrypoint = true;
    const auto words = manifests::split_command(*flags.entrypoint);
    request.entrypoint = read_or_throw<manifests::Strings>(words, *flags.entrypoint);
  }
  for (const std::string& label : flags.labels) {
    const auto [name, value] = split_pair(label);
    request.labels[name] = value;
  }
  read_environment(invocation, flags);
  read_mounts_and_ports(invocation, flags);
  request.tty =
      !flags.no_tty && !flags.detach && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
  request.interactive = flags.interactive && !flags.detach;
}

bool fetch_images(const Invocation& invocation, const manifests::Stack& stack,
                  const RunFlags& flags) {
  ServicePull wanted;
  wanted.override_policy = flags.pull;
  wanted.quiet = flags.quiet;
  const auto& request = flags.request;
  return pull_services(invocation, stack,
                       orchestrator::services_of(stack, {request.service}, request.no_deps),
                       wanted);
}

/// False when it was interrupted.
bool build_images(const Invocation& invocation, const manifests::Stack& stack,
                  const RunFlags& flags) {
  const auto& request = flags.request;
  return build_for_up(
      invocation, stack, orchestrator::services_of(stack, {request.service}, request.no_deps),
      flags.build || flags.pull == "build", flags.quiet || flags.quiet_build ? "quiet" : "auto");
}

bool passes_preflight(const Invocation& invocation, const manifests::Stack& stack,
                      const orchestrator::protocol::Run& request) {
  manifests::Stack wanted = stack;
  if (!request.service_ports) wanted.services.at(request.service).ports.clear();
  bool passed = true;
  for (const auto& diagnostic : orchestrator::preflight(
           wanted, orchestrator::services_of(wanted, {request.service}, request.no_deps),
           invocation.paths)) {
    print_diagnostic(diagnostic);
    passed = passed && diagnostic.severity != manifests::Severity::error;
  }
  return passed;
}

}  // namespace

int run(Invocation& invocation) {
  RunFlags flags;
  declare(invocation.line, flags);
  if (!invocation.line.parse()) return 0;
  if (flags.request.service_ports && !flags.ports.empty())
    throw UsageError("--service-ports and --publish are incompatible");
  check_pull_policy(flags.pull);
  require_root(invocation);
  const manifests::Stack stack = load_stack(invocation, {flags.words.front()});
  complete_request(invocation, flags, stack);
  if (!invocation.globals.dry_run) {
    if (!fetch_images(invocation, stack, flags)) return 1;
    if (!build_images(invocation, stack, flags)) return kInterrupted;
  }
  if (!passes_preflight(invocation, stack, flags.request)) return 1;
  if (invocation.globals.dry_run) {
    write_out("DRY-RUN MODE - one container of " + flags.request.service + " would be run\n");
    return 0;
  }
  return flags.detach ? run_detached(invocation, stack.name, flags.request)
                      : run_attached(invocation, stack.name, flags.request);
}

}  // namespace cli
