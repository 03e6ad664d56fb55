#include "orchestrator/cli/up_options.hpp"

#include <charconv>
#include <filesystem>

#include "manifests/print.hpp"
#include "orchestrator/cli/building.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/image_policy.hpp"
#include "orchestrator/planning.hpp"
#include "orchestrator/preflight.hpp"
#include "runtime/os/error.hpp"

namespace cli {

void declare_up_options(CommandLine& line, UpOptions& options) {
  auto& request = options.request;
  line.flag("--force-recreate", request.force_recreate, "Make containers anew, changed or not");
  line.flag("--no-recreate", request.no_recreate, "Leave containers as they are, changed or not");
  line.flag("--always-recreate-deps", request.always_recreate_deps,
            "Make dependencies anew as well");
  line.flag("-V,--renew-anon-volumes", request.renew_anon_volumes,
            "Give recreated containers new anonymous volumes");
  line.flag("--remove-orphans", request.remove_orphans,
            "Remove containers of services that the file does not have");
  line.list("--scale", options.scale, "SERVICE=NUM", "How many containers a service has");
  line.option("--pull", options.pull, "POLICY", "Fetch images: always, missing or never");
  line.flag("--offline", options.offline, "Fetch and build nothing; say what is missing");
  line.flag("--build", options.build, "Build images first, missing or not");
  line.flag("--no-build", options.no_build, "Build no image, not even a missing one");
  line.flag("--quiet-pull", options.quiet, "");
  line.flag("--quiet-build", options.quiet_build, "No progress of builds");
  line.flag("-y,--yes", options.yes, "");
}

std::map<std::string, int> parse_scale(const std::vector<std::string>& pairs, const char* option) {
  std::map<std::string, int> scale;
  for (const std::string& pair : pairs) {
    const auto equals = pair.find('=');
    int number = -1;
    if (equals != std::string::npos) {
      const char* const begin = pair.data() + equals + 1;
      const char* const end = pair.data() + pair.size();
      const auto [stop, error] = std::from_chars(begin, end, number);
      if (error != std::errc() || stop != end) number = -1;
    }
    if (number < 0 || equals == 0)
      throw os::Error(std::string("invalid ") + option + " \"" + pair +
                      "\". Should be SERVICE=NUM");
    scale[pair.substr(0, equals)] = number;
  }
  return scale;
}

namespace {

void check_flags(const Invocation& invocation, const UpOptions& options) {
  const auto& request = options.request;
  const auto refuse = [](bool both, const char* one, const char* other) {
    if (both) throw UsageError(std::string(one) + " and " + other + " are incompatible");
  };
  refuse(options.build && options.no_build, "--build", "--no-build");
  refuse(request.force_recreate && request.no_recreate, "--force-recreate", "--no-recreate");
  refuse(request.renew_anon_volumes && request.no_recreate, "--renew-anon-volumes",
         "--no-recreate");
  refuse(request.always_recreate_deps && request.no_recreate, "--always-recreate-deps",
         "--no-recreate");
  check_pull_policy(options.pull);
  refuse(options.offline && options.build, "--offline", "--build");
  refuse(options.offline && options.pull == "always", "--offline", "--pull always");
  if (request.remove_orphans && is_true(invocation.environment, "COMPOSE_IGNORE_ORPHANS"))
    throw os::Error("cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans");
}

}  // namespace

void complete_request(const Invocation& invocation, UpOptions& options,
                      const manifests::Stack& stack) {
  check_flags(invocation, options);
  auto& request = options.request;
  request.ignore_orphans = is_true(invocation.environment, "COMPOSE_IGNORE_ORPHANS");
  if (!request.ignore_orphans && !invocation.line.given("--remove-orphans"))
    request.remove_orphans = is_true(invocation.environment, "COMPOSE_REMOVE_ORPHANS");
  for (const auto& [service, number] : parse_scale(options.scale, "--scale option")) {
    if (!stack.services.contains(service)) throw os::Error("no such service: " + service);
    request.scale[service] = number;
  }
  request.stack = manifests::to_json(stack, manifests::Detail::complete);
  request.working_directory = stack.working_directory;
  request.config_files = stack.config_files;
  if (!request.trace.empty()) request.trace = std::filesystem::absolute(request.trace).string();
}

bool fetch_images(const Invocation& invocation, const UpOptions& options,
                  const manifests::Stack& stack) {
  if (options.offline || !options.bundle.empty()) return true;
  ServicePull wanted;
  wanted.override_policy = options.pull;
  wanted.quiet = options.quiet;
  const auto& request = options.request;
  return pull_services(invocation, stack,
                       orchestrator::services_of(stack, request.services, request.no_deps), wanted);
}

int print_plan(const Invocation& invocation, const manifests::Stack& stack,
               const orchestrator::protocol::Up& request) {
  std::istringstream lines(
      orchestrator::to_text(orchestrator::plan_up(stack, request, invocation.paths)));
  for (std::string line; std::getline(lines, line);) write_out("DRY-RUN MODE - " + line + "\n");
  return 0;
}

bool build_images(const Invocation& invocation, const manifests::Stack& stack,
                  const UpOptions& options) {
  if (options.no_build || options.offline || !options.bundle.empty()) return true;
  return build_for_up(
      invocation, stack,
      orchestrator::services_of(stack, options.request.services, options.request.no_deps),
      options.build || options.pull == "build", options.quiet_build ? "quiet" : "auto");
}

bool passes_preflight(const Invocation& invocation, const manifests::Stack& stack,
                      const orchestrator::protocol::Up& request) {
  bool passed = true;
  const auto services = orchestrator::services_of(stack, request.services, request.no_deps);
  for (const auto& diagnostic : orchestrator::preflight(stack, services, invocation.paths)) {
    print_diagnostic(diagnostic);
    passed = passed && diagnostic.severity != manifests::Severity::error;
  }
  return passed;
}

}  // namespace cli
