// `up` and `create`, and `scale`, which is an `up` of a number.
#include "orchestrator/cli/bundle.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/foreground.hpp"
#include "orchestrator/cli/request.hpp"
#include "orchestrator/cli/up_options.hpp"
#include "orchestrator/planning.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace cli {

namespace {

struct UpFlags : UpOptions {
  std::vector<std::string> attach;
  std::vector<std::string> no_attach;
  std::string exit_code_from;
  bool detach = false;
  bool attach_dependencies = false;
  bool abort_on_exit = false;
  bool abort_on_failure = false;
  bool no_color = false;
  bool no_log_prefix = false;
  bool timestamps = false;
  bool watch = false;
  bool menu = false;
  bool dry_run = false;
};

void declare(CommandLine& line, UpFlags& flags) {
  auto& request = flags.request;
  line.flag("-d,--detach", flags.detach, "Return once everything is started");
  line.flag("--wait", request.wait, "Return once everything is running or healthy");
  line.option("--wait-timeout", request.wait_timeout, "SECONDS", "Give up waiting after this long");
  line.flag("--no-start", request.no_start, "Make containers, do not start them");
  line.flag("--no-deps", request.no_deps, "Leave out what the named services depend on");
  declare_up_options(line, flags);
  line.flag("--abort-on-container-exit", flags.abort_on_exit, "Stop all when the first one ends");
  line.flag("--abort-on-container-failure", flags.abort_on_failure,
            "Stop all when the first one fails");
  line.option("--exit-code-from", flags.exit_code_from, "SERVICE",
              "Stop all when the first one ends, return this one's code");
  line.list("--attach", flags.attach, "SERVICE", "Show the log of this service");
  line.list("--no-attach", flags.no_attach, "SERVICE", "Do not show the log of this service");
  line.flag("--attach-dependencies", flags.attach_dependencies,
            "Show the logs of dependencies too");
  line.flag("--no-color", flags.no_color, "No colours");
  line.flag("--no-log-prefix", flags.no_log_prefix, "No names before the lines");
  line.flag("--timestamps", flags.timestamps, "Times before the lines");
  line.option("-t,--timeout", request.timeout, "SECONDS", "How long a stop may take before a kill");
  line.option("--trace", request.trace, "FILE", "Write where the time goes (Chrome trace format)");
  line.option("--bundle", flags.bundle, "FILE", "Run what `stack bundle` wrote, without network");
  line.flag("-w,--watch", flags.watch, "");
  line.flag("--menu", flags.menu, "");
  line.flag("--dry-run", flags.dry_run, "Print what would be done, do nothing");
  line.arguments("[SERVICE...]", request.services);
  line.example("stack up", "start everything and follow the logs; Ctrl-C stops it");
  line.example("stack up -d --wait", "in the background; return when all is healthy");
  line.example("stack up -d --scale worker=3 worker", "three workers and what they need");
}

void check(const UpFlags& flags) {
  const bool aborts = flags.abort_on_exit || flags.abort_on_failure;
  const bool attaches = !flags.attach.empty() || flags.attach_dependencies;
  if (flags.detach && (aborts || !flags.exit_code_from.empty() || attaches || flags.watch))
    throw UsageError(
        "--detach cannot be combined with --abort-on-container-exit, "
        "--abort-on-container-failure, --exit-code-from, --attach, --attach-dependencies or "
        "--watch");
  if (flags.request.wait && (aborts || !flags.exit_code_from.empty() || attaches || flags.watch))
    throw UsageError(
        "--wait cannot be combined with --abort-on-container-exit, --abort-on-container-failure, "
        "--exit-code-from, --attach, --attach-dependencies or --watch");
  if (flags.abort_on_exit && flags.abort_on_failure)
    throw UsageError("--abort-on-container-exit and --abort-on-container-failure are incompatible");
  if (!flags.attach.empty() && flags.attach_dependencies)
    throw UsageError("--attach and --attach-dependencies are incompatible");
  if (flags.watch) throw os::Error("--watch is not available in this version");
}

/// The services whose logs are shown.
std::set<std::string> attached(const manifests::Stack& stack, const UpFlags& flags) {
  const auto& request = flags.request;
  const auto taking_part = orchestrator::services_of(stack, request.services, request.no_deps);
  std::set<std::string> shown(flags.attach.begin(), flags.attach.end());
  for (const std::string& service : shown)
    if (!taking_part.contains(service))
      throw os::Error("cannot attach to services not included in up: " + service);
  if (shown.empty()) {
    shown = taking_part;
    if (!request.services.empty() && !flags.attach_dependencies)
      shown = {request.services.begin(), request.services.end()};
    std::erase_if(shown, [&](const std::string& service) {
      return !stack.services.at(service).attach.value_or(true);
    });
  }
  for (const std::string& service : flags.no_attach) shown.erase(service);
  return shown;
}

ForegroundOptions foreground_options(const Invocation& invocation, const manifests::Stack& stack,
                                     const UpFlags& flags) {
  if (!flags.exit_code_from.empty() && !stack.services.contains(flags.exit_code_from))
    throw os::Error("no such service: " + flags.exit_code_from + ": not found");
  return {.services = attached(stack, flags),
          .format = {.prefix = !flags.no_log_prefix,
                     .timestamps = flags.timestamps,
                     .colour = invocation.style.colour_out && !flags.no_color,
                     .split = true},
          .abort_on_exit = flags.abort_on_exit || !flags.exit_code_from.empty(),
          .abort_on_failure = flags.abort_on_failure,
          .exit_code_from = flags.exit_code_from,
          .timeout = flags.request.timeout};
}

}  // namespace

int up(Invocation& invocation) {
  UpFlags flags;
  declare(invocation.line, flags);
  if (!invocation.line.parse()) return 0;
  check(flags);
  require_root(invocation);
  if (!flags.bundle.empty()) open_bundle(invocation, flags.bundle);
  const manifests::Stack stack = load_stack(invocation, flags.request.services);
  complete_request(invocation, flags, stack);
  const bool dry_run = flags.dry_run || invocation.globals.dry_run;
  if (!dry_run && !fetch_images(invocation, flags, stack)) return 1;
  if (!dry_run && !build_images(invocation, stack, flags)) return kInterrupted;
  if (!passes_preflight(invocation, stack, flags.request)) return 1;
  if (dry_run) return print_plan(invocation, stack, flags.request);
  if (flags.detach || flags.request.wait || flags.request.no_start)
    return perform(invocation, stack.name, "up", flags.request);
  const ForegroundOptions options = foreground_options(invocation, stack, flags);
  invocation.paths.make();
  return up_in_foreground(invocation, stack.name, flags.request, options);
}

int create(Invocation& invocation) {
  UpOptions options;
  bool dry_run = false;
  CommandLine& line = invocation.line;
  declare_up_options(line, options);
  line.flag("--dry-run", dry_run, "Print what would be done, do nothing");
  line.arguments("[SERVICE...]", options.request.services);
  line.example("stack create", "make everything, start nothing");
  line.example("stack create --force-recreate web", "make the containers of web anew");
  if (!line.parse()) return 0;
  require_root(invocation);
  options.request.no_start = true;
  const manifests::Stack stack = load_stack(invocation, options.request.services);
  complete_request(invocation, options, stack);
  dry_run = dry_run || invocation.globals.dry_run;
  if (!dry_run && !fetch_images(invocation, options, stack)) return 1;
  if (!dry_run && !build_images(invocation, stack, options)) return kInterrupted;
  if (!passes_preflight(invocation, stack, options.request)) return 1;
  if (dry_run || invocation.globals.dry_run) return print_plan(invocation, stack, options.request);
  return perform(invocation, stack.name, "up", options.request);
}

int scale(Invocation& invocation) {
  UpOptions options;
  std::vector<std::string> pairs;
  CommandLine& line = invocation.line;
  line.flag("--no-deps", options.request.no_deps, "Leave out what the services depend on");
  line.flag("--remove-orphans", options.request.remove_orphans, "");
  line.arguments("SERVICE=NUM...", pairs, 1);
  line.example("stack scale web=3", "three containers of web");
  line.example("stack scale web=3 worker=0", "and none of worker");
  if (!line.parse()) return 0;
  require_root(invocation);
  for (const auto& [service, number] : parse_scale(pairs, "scale specifier")) {
    options.request.services.push_back(service);
    options.scale.push_back(service + "=" + std::to_string(number));
  }
  const manifests::Stack stack = load_stack(invocation, options.request.services);
  complete_request(invocation, options, stack);
  if (!fetch_images(invocation, options, stack)) return 1;
  if (!passes_preflight(invocation, stack, options.request)) return 1;
  return perform(invocation, stack.name, "up", options.request);
}

}  // namespace cli
