// `build`: images of services, or of a directory alone.
#include <unistd.h>

#include "orchestrator/cli/building.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/planning.hpp"
#include "runtime/build/context.hpp"
#include "runtime/build/dockerfile.hpp"
#include "runtime/build/run_mount.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace cli {

namespace {

struct BuildOptions {
  std::vector<std::string> words;
  std::string file;
  std::vector<std::string> tags;
  std::vector<std::string> arguments;
  std::string target;
  std::vector<std::string> labels;
  std::vector<std::string> contexts;
  std::vector<std::string> secrets;
  std::vector<std::string> agents;
  std::vector<std::string> hosts;
  std::vector<std::string> entitlements;
  std::vector<std::string> limits;
  std::string network;
  std::string shm_size;
  std::string platform;
  std::string progress;
  std::string id_file;
  std::vector<std::string> no_cache_stages;
  std::vector<std::string> cache_from;
  std::vector<std::string> cache_to;
  bool no_cache = false;
  bool pull = false;
  bool quiet = false;
  bool with_dependencies = false;
};

void declare(CommandLine& line, BuildOptions& options) {
  line.option("-f,--file", options.file, "FILE", "The Dockerfile; - is standard input");
  line.list("-t,--tag", options.tags, "NAME", "A name for the image of a directory");
  line.list("--build-arg", options.arguments, "NAME[=VALUE]", "Sets an ARG");
  line.option("--target", options.target, "STAGE", "Build up to this stage");
  line.list("--label", options.labels, "NAME=VALUE", "A label of the image");
  line.list("--build-context", options.contexts, "NAME=PATH", "A further context");
  line.list("--secret", options.secrets, "id=ID,src=FILE", "What RUN --mount=type=secret may read");
  line.list("--ssh", options.agents, "default|ID=SOCKET", "What RUN --mount=type=ssh may use");
  line.list("--add-host", options.hosts, "HOST:IP", "A name for RUN");
  line.list("--allow", options.entitlements, "ENTITLEMENT", "network.host, security.insecure");
  line.list("--ulimit", options.limits, "NAME=SOFT[:HARD]", "A limit for RUN");
  line.option("--network", options.network, "MODE", "Of RUN: default, none or host");
  line.option("--shm-size", options.shm_size, "SIZE", "Of /dev/shm in RUN");
  line.option("--platform", options.platform, "OS/ARCH", "The host's unless given");
  line.option("--progress", options.progress, "STYLE", "auto, plain, tty or quiet");
  line.option("--iidfile", options.id_file, "FILE", "Write the image's id there");
  line.list("--no-cache-filter", options.no_cache_stages, "STAGE", "Use no cache for this stage");
  line.list("--cache-from", options.cache_from, "NAME|type=…",
            "Take layers from there: type=registry,ref=NAME or type=local,src=DIR");
  line.list("--cache-to", options.cache_to, "NAME|type=…",
            "Give layers to there: type=registry,ref=NAME or type=local,dest=DIR; mounts=true: "
            "what cache "
            "mounts hold, too");
  line.flag("--no-cache", options.no_cache, "Make everything anew");
  line.flag("--pull", options.pull, "Look for newer base images");
  line.flag("-q,--quiet", options.quiet, "Print the ids alone");
  line.flag("--with-dependencies", options.with_dependencies,
            "Also the services that these depend on");
  line.arguments("[SERVICE...] | CONTEXT", options.words);
  line.example("stack build", "the images of all services that have `build:`");
  line.example("stack build -t site:1 .", "the image of a directory with a Dockerfile");
  line.example("stack build -t site:1 https://example.com/site.git#main:docs",
               "of a git repository");
  line.example("stack build -t site:1 - < site.tar.gz", "of a tar, which may be compressed");
  line.example("stack build -t site:1 --target test --progress plain .", "one stage, for a log");
}

std::pair<std::string, std::optional<std::string>> split_pair(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return {text, std::nullopt};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::map<std::string, std::string> arguments_of(const Invocation& invocation,
                                                const BuildOptions& options) {
  std::map<std::string, std::string> arguments;
  for (const std::string& text : options.arguments) {
    const auto [name, value] = split_pair(text);
    if (name.empty()) throw UsageError("--build-arg '" + text + "': the name is empty");
    if (value) {
      arguments[name] = *value;
    } else if (const auto found = invocation.environment.find(name);
               found != invocation.environment.end()) {
      arguments[name] = found->second;
    }
  }
  return arguments;
}

build::Secret read_secret(const Invocation& invocation, const std::string& text, std::string& id) {
  build::Secret secret;
  std::string environment;
  for (const std::string& field : build::split_csv(text)) {
    const auto [key, value] = split_pair(field);
    if (!value) throw UsageError("--secret '" + text + "': write id=ID,src=FILE or id=ID,env=NAME");
    if (key == "id")
      id = *value;
    else if (key == "src" || key == "source")
      secret.file = *value;
    else if (key == "env")
      environment = *value;
    else if (key != "type")
      throw UsageError("--secret: unknown key '" + key + "'");
    else if (*value == "env" || *value == "file")
      continue;
  }
  if (id.empty()) throw UsageError("--secret '" + text + "': the id is missing");
  if (secret.file.empty()) {
    const std::string name = environment.empty() ? id : environment;
    const auto found = invocation.environment.find(name);
    if (found == invocation.environment.end())
      throw os::Error("secret " + id + ": the variable '" + name + "' is not set");
    secret.content = found->second;
  } else if (!os::exists(secret.file)) {
    throw os::Error("secret " + id + ": there is no file '" + secret.file + "'");
  }
  return secret;
}

void set_agents(const Invocation& invocation, const BuildOptions& options,
                build::BuildOptions& build) {
  for (const std::string& text : options.agents) {
    const auto [id, path] = split_pair(text);
    const auto agent = invocation.environment.find("SSH_AUTH_SOCK");
    if (!path && agent == invocation.environment.end())
      throw os::Error("--ssh " + id + ": no agent runs, SSH_AUTH_SOCK is not set");
    const std::string socket = path ? *path : agent->second;
    if (!std::filesystem::is_socket(socket))
      throw os::Error("--ssh " + id + ": '" + socket + "' is no agent's socket");
    build.agents[id] = std::filesystem::absolute(socket).string();
  }
}

void set_limits(const BuildOptions& options, build::BuildOptions& build) {
  for (const std::string& text : options.limits) {
    const auto [name, value] = split_pair(text);
    std::string type = "RLIMIT_" + name;
    for (char& c : type) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (!value || !container::rlimit_number(type))
      throw UsageError("--ulimit '" + text + "': write NAME=SOFT[:HARD]");
    const auto colon = value->find(':');
    try {
      const std::uint64_t soft = std::stoull(value->substr(0, colon));
      const std::uint64_t hard =
          colon == std::string::npos ? soft : std::stoull(value->substr(colon + 1));
      build.limits.push_back({.type = type, .soft = soft, .hard = hard});
    } catch (const std::exception&) {
      throw UsageError("--ulimit '" + text + "': write NAME=SOFT[:HARD]");
    }
  }
}

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

void set_contexts(const BuildOptions& options, build::BuildOptions& build) {
  for (const std::string& text : options.contexts) {
    const auto [name, value] = split_pair(text);
    if (!value || name.empty()) throw UsageError("--build-context '" + text + "': write NAME=PATH");
    const bool local = std::filesystem::exists(*value);
    const bool remote =
        !local && (value->find("://") != std::string::npos || build::is_remote_context(*value));
    if (!remote && !local)
      throw os::Error("--build-context " + name + ": there is no directory '" + *value + "'");
    build.contexts[name] = remote ? *value : absolute(*value);
  }
}

void set_dockerfile(const BuildOptions& options, build::BuildOptions& build) {
  if (options.file == "-") {
    build.dockerfile = "-";
    build.dockerfile_text = os::read_all(STDIN_FILENO, build::kMaxDockerfile, "standard input");
  } else if (!options.file.empty()) {
    build.dockerfile = options.file;
  }
}

/// The build of a directory alone.
build::BuildOptions directory_build(const Invocation& invocation, const BuildOptions& options) {
  build::BuildOptions build;
  const std::string& context = options.words.front();
  if (context == build::kStandardInput && options.file == build::kStandardInput)
    throw UsageError("context and Dockerfile cannot both be standard input");
  const build::ContextKind kind = build::context_kind(context);
  if (kind == build::ContextKind::directory && !std::filesystem::is_directory(context))
    throw os::Error("the build context '" + context + "' is no directory" +
                    (context.find("://") == std::string::npos
                         ? ""
                         : ", and neither git nor an archive at an http URL"));
  const bool local = context != build::kStandardInput && std::filesystem::exists(context);
  build.context = local ? absolute(context) : context;
  set_dockerfile(options, build);
  for (const std::string& tag : options.tags)
    build.names.push_back(image::Reference::parse(tag).text());
  build.arguments = arguments_of(invocation, options);
  for (const std::string& text : options.labels) {
    const auto [name, value] = split_pair(text);
    build.labels[name] = value.value_or("");
  }
  for (const std::string& text : options.hosts) {
    const auto border = text.find_first_of(":=");
    if (border == std::string::npos || border == 0)
      throw UsageError("--add-host '" + text + "': write HOST:IP");
    build.extra_hosts.emplace_back(text.substr(0, border), text.substr(border + 1));
  }
  if (!options.platform.empty()) {
    build.platform = image::parse_platform(options.platform);
    if (!image::platform_rank(*build.platform, image::host_platform()))
      throw os::Error("this machine cannot build for " + build.platform->text() + ": it is " +
                      image::host_platform().text());
  }
  return build;
}

/// What holds for every build of the command.
void add_common(const Invocation& invocation, const BuildOptions& options,
                build::BuildOptions& build) {
  if (!options.target.empty()) build.target = options.target;
  build.no_cache = build.no_cache || options.no_cache;
  build.always_pull = build.always_pull || options.pull;
  build.no_cache_stages.insert(options.no_cache_stages.begin(), options.no_cache_stages.end());
  build.entitlements.insert(options.entitlements.begin(), options.entitlements.end());
  for (const std::string& text : options.secrets) {
    std::string id;
    const build::Secret secret = read_secret(invocation, text, id);
    build.secrets[id] = secret;
  }
  for (const std::string& warning :
       orchestrator::add_caches(build, options.cache_from, options.cache_to, absolute(".")))
    print_warning(warning);
  set_agents(invocation, options, build);
  set_limits(options, build);
  set_contexts(options, build);
  if (!options.network.empty()) {
    if (options.network != "default" && options.network != "none" && options.network != "host")
      throw UsageError("--network is default, none or host, not '" + options.network + "'");
    build.network = options.network;
  }
  if (options.shm_size.empty()) return;
  const auto size = build::parse_size(options.shm_size);
  if (!size) throw UsageError("--shm-size '" + options.shm_size + "' is no size");
  build.shm_size = static_cast<std::uint64_t>(*size);
}

bool is_directory_build(const BuildOptions& options) {
  if (!options.tags.empty() || !options.file.empty() || !options.id_file.empty()) return true;
  if (options.words.size() != 1) return false;
  const std::string& word = options.words.front();
  return word == "." || word == ".." || word == "-" || word.find('/') != std::string::npos ||
         build::is_remote_context(word);
}

std::vector<build::BuildOptions> service_builds(const Invocation& invocation,
                                                const BuildOptions& options) {
  const manifests::Stack stack = load_stack(invocation, options.words);
  std::vector<std::string> services = options.words;
  if (services.empty() || options.with_dependencies) {
    const auto all = orchestrator::services_of(stack, options.words, false);
    services = {all.begin(), all.end()};
  }
  orchestrator::BuildFlags flags{.arguments = arguments_of(invocation, options),
                                 .no_cache = options.no_cache,
                                 .pull = options.pull,
                                 .environment = invocation.environment,
                                 .warn = [](const std::string& text) { print_warning(text); }};
  std::vector<build::BuildOptions> builds;
  for (const std::string& name : orchestrator::build_order(stack, services))
    builds.push_back(orchestrator::build_request(stack, stack.services.at(name), flags));
  if (builds.empty()) print_warning("No services to build");
  return builds;
}

}  // namespace

int build(Invocation& invocation) {
  BuildOptions options;
  declare(invocation.line, options);
  if (!invocation.line.parse()) return 0;
  const std::vector<std::string> styles{"", "auto", "plain", "tty", "quiet"};
  if (std::find(styles.begin(), styles.end(), options.progress) == styles.end())
    throw UsageError("unknown --progress '" + options.progress + "': auto, plain, tty or quiet");
  require_root(invocation);
  std::vector<build::BuildOptions> builds;
  if (is_directory_build(options)) {
    if (options.words.size() != 1)
      throw UsageError("a build with --tag or --file needs one context: stack build -t NAME .");
    builds.push_back(directory_build(invocation, options));
  } else {
    builds = service_builds(invocation, options);
  }
  for (build::BuildOptions& each : builds) add_common(invocation, options, each);
  const BuildRun run = run_builds(invocation, builds, options.quiet ? "quiet" : options.progress);
  if (run.code != 0) return run.code;
  for (std::size_t i = 0; i < run.results.size(); ++i) {
    write_out(run.results[i].id.text() + "\n");
    if (!options.id_file.empty())
      os::write_file_atomic(options.id_file, run.results[i].id.text(), 0644);
  }
  return 0;
}

}  // namespace cli
