#include "orchestrator/build_request.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <random>

#include "orchestrator/planning.hpp"
#include "runtime/build/context.hpp"
#include "runtime/build/run_mount.hpp"
#include "runtime/container/spec.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/image/store.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace orchestrator {

namespace {

constexpr std::string_view kServicePrefix = "service:";

/// Whether a value is no path: what is there counts first.
bool is_remote(const std::string& context) {
  return !std::filesystem::exists(context) &&
         (context.find("://") != std::string::npos || build::is_remote_context(context));
}

void set_context(const manifests::Service& service, build::BuildOptions& options) {
  const manifests::Build& build = *service.build;
  options.context = build.context;
  const build::ContextKind kind = build::context_kind(options.context);
  if (kind == build::ContextKind::directory && !std::filesystem::is_directory(options.context))
    throw os::Error("the build context '" + options.context + "' is no directory");
  if (!build.dockerfile_inline.empty()) {
    options.dockerfile_text = build.dockerfile_inline;
    options.dockerfile = "dockerfile_inline";
  } else if (!build.dockerfile.empty() && build.dockerfile != "Dockerfile") {
    const bool inside = kind != build::ContextKind::directory || build.dockerfile.starts_with('/');
    options.dockerfile = inside ? build.dockerfile : options.context + "/" + build.dockerfile;
  }
}

void set_arguments(const manifests::Build& build, const BuildFlags& flags,
                   build::BuildOptions& options) {
  for (const auto& [name, value] : build.args) {
    if (value) {
      options.arguments[name] = *value;
    } else if (const auto found = flags.environment.find(name); found != flags.environment.end()) {
      options.arguments[name] = found->second;
    }
  }
  for (const auto& [name, value] : flags.arguments) options.arguments[name] = value;
}

void set_secrets(const manifests::Stack& stack, const manifests::Build& build,
                 build::BuildOptions& options) {
  for (const manifests::FileMount& use : build.secrets) {
    const auto found = stack.secrets.find(use.source);
    if (found == stack.secrets.end())
      throw os::Error("build.secrets: there is no secret '" + use.source + "'");
    const std::string id = use.target.empty() ? use.source : use.target;
    build::Secret secret;
    secret.file = found->second.file;
    if (found->second.content) secret.content = *found->second.content;
    if (secret.file.empty() && !secret.content)
      throw os::Error("the secret '" + use.source + "' has no content: its variable '" +
                      found->second.environment + "' is not set");
    options.secrets[id] = secret;
  }
}

void set_agents(const manifests::Build& build, const BuildFlags& flags,
                build::BuildOptions& options) {
  for (const manifests::SshKey& key : build.ssh) {
    std::string path = key.path;
    if (path.empty()) {
      const auto agent = flags.environment.find("SSH_AUTH_SOCK");
      if (agent == flags.environment.end())
        throw os::Error("build.ssh: no agent runs, SSH_AUTH_SOCK is not set");
      path = agent->second;
    }
    if (!std::filesystem::is_socket(path))
      throw os::Error("build.ssh: '" + path + "' is no agent's socket; keys are not read yet");
    options.agents[key.id] = path;
  }
}

void set_contexts(const manifests::Stack& stack, const manifests::Build& build,
                  build::BuildOptions& options) {
  for (const auto& [name, value] : build.additional_contexts) {
    std::string context = value;
    if (context.starts_with(kServicePrefix)) {
      const std::string other = context.substr(kServicePrefix.size());
      const auto found = stack.services.find(other);
      if (found == stack.services.end())
        throw os::Error("additional_contexts: there is no service '" + other + "'");
      context = "docker-image://" + image_of(stack, found->second);
    } else if (!is_remote(context) && !context.starts_with('/')) {
      context = stack.working_directory + "/" + context;
    }
    options.contexts[name] = context;
  }
}

void set_limits(const manifests::Build& build, build::BuildOptions& options) {
  for (const auto& [name, limit] : build.ulimits) {
    std::string type = "RLIMIT_" + name;
    for (char& c : type) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (!container::rlimit_number(type)) throw os::Error("unknown ulimit '" + name + "'");
    options.limits.push_back({.type = type,
                              .soft = static_cast<std::uint64_t>(limit.soft_limit()),
                              .hard = static_cast<std::uint64_t>(limit.hard_limit())});
  }
  if (build.shm_size) options.shm_size = static_cast<std::uint64_t>(build.shm_size.value);
  for (const auto& [host, addresses] : build.extra_hosts)
    for (const std::string& address : addresses) options.extra_hosts.emplace_back(host, address);
}

void set_platform(const manifests::Service& service, build::BuildOptions& options) {
  manifests::Strings platforms = service.build->platforms;
  if (platforms.empty() && !service.platform.empty()) platforms = {service.platform};
  if (platforms.size() > 1)
    throw os::Error("building for several platforms at once is not supported yet");
  if (platforms.empty()) return;
  const image::Platform wanted = image::parse_platform(platforms.front());
  if (!image::platform_rank(wanted, image::host_platform()))
    throw os::Error("this machine cannot build for " + wanted.text() + ": it is " +
                    image::host_platform().text());
  options.platform = wanted;
}

}  // namespace

std::vector<std::string> add_caches(build::BuildOptions& options, const manifests::Strings& from,
                                    const manifests::Strings& to, const std::string& directory) {
  std::vector<std::string> warnings;
  const auto add = [&](const manifests::Strings& entries, build::CacheUse use,
                       std::vector<build::CacheLocation>& locations) {
    for (const std::string& entry : entries) {
      if (auto location = build::parse_cache_location(entry, use, directory))
        locations.push_back(*std::move(location));
      else
        warnings.push_back(std::string(use == build::CacheUse::from ? "cache_from" : "cache_to") +
                           " '" + entry + "' is ignored: the types are registry and local");
    }
  };
  add(from, build::CacheUse::from, options.cache_from);
  add(to, build::CacheUse::to, options.cache_to);
  return warnings;
}

build::BuildOptions build_request(const manifests::Stack& stack, const manifests::Service& service,
                                  const BuildFlags& flags) try {
  const manifests::Build& build = *service.build;
  build::BuildOptions options;
  set_context(service, options);
  set_arguments(build, flags, options);
  set_secrets(stack, build, options);
  set_agents(build, flags, options);
  set_contexts(stack, build, options);
  set_limits(build, options);
  set_platform(service, options);
  options.names = {image_of(stack, service)};
  for (const std::string& tag : build.tags) options.names.push_back(tag);
  options.target = build.target;
  options.labels = {build.labels.begin(), build.labels.end()};
  const std::string prefix = "com.docker.compose.";
  options.labels[prefix + "project"] = stack.name;
  options.labels[prefix + "service"] = service.name;
  options.labels[prefix + "version"] = STACK_VERSION;
  options.no_cache = build.no_cache || flags.no_cache;
  options.no_cache_stages = {build.no_cache_filter.begin(), build.no_cache_filter.end()};
  for (const std::string& warning :
       add_caches(options, build.cache_from, build.cache_to, stack.working_directory))
    if (flags.warn) flags.warn("service \"" + service.name + "\": " + warning);
  options.always_pull = build.pull || flags.pull;
  options.entitlements = {build.entitlements.begin(), build.entitlements.end()};
  if (build.privileged) options.entitlements.insert("security.insecure");
  if (!build.network.empty()) options.network = build.network;
  if (options.network != "default" && options.network != "none" && options.network != "host")
    throw os::Error("build.network is default, none or host, not '" + options.network + "'");
  return options;
} catch (const os::Error& error) {
  throw error.in("service '" + service.name + "'");
}

void complete_build(build::BuildOptions& options, const Paths& paths,
                    const std::map<std::string, std::string>& environment) {
  std::random_device source;
  constexpr const char* kDigits = "0123456789abcdef";
  for (int i = 0; i < 12; ++i) options.id += kDigits[source() % 16];
  options.environment = environment;
  options.data_directory = paths.cache();
  options.run_directory = paths.run + "/builds";
  options.runtime = runtime_executable();
  std::string epoch;
  if (const auto found = environment.find("SOURCE_DATE_EPOCH"); found != environment.end())
    epoch = found->second;
  if (const auto found = options.arguments.find("SOURCE_DATE_EPOCH");
      found != options.arguments.end())
    epoch = found->second;
  options.epoch_of_context = epoch == "context";
  if (epoch.empty() || options.epoch_of_context) return;
  std::int64_t seconds = 0;
  const auto [end, failed] = std::from_chars(epoch.data(), epoch.data() + epoch.size(), seconds);
  if (failed != std::errc() || end != epoch.data() + epoch.size() || seconds < 0)
    throw os::Error("SOURCE_DATE_EPOCH is '" + epoch + "' and no number of seconds");
  options.source_date_epoch = seconds;
}

std::vector<std::string> build_order(const manifests::Stack& stack,
                                     const std::vector<std::string>& services) {
  std::vector<std::string> order;
  std::set<std::string> open;
  const std::function<void(const std::string&)> visit = [&](const std::string& name) {
    if (std::find(order.begin(), order.end(), name) != order.end()) return;
    const auto found = stack.services.find(name);
    if (found == stack.services.end() || !found->second.build) return;
    if (!open.insert(name).second)
      throw os::Error("additional_contexts: the services lead in a circle through '" + name + "'");
    for (const auto& [key, value] : found->second.build->additional_contexts)
      if (value.starts_with(kServicePrefix)) visit(value.substr(kServicePrefix.size()));
    order.push_back(name);
  };
  for (const std::string& service : services) visit(service);
  return order;
}

const manifests::Service* builder_of(const manifests::Stack& stack, const std::string& reference) {
  const auto same = [&](const std::string& name) {
    try {
      return image::Reference::parse(name).text() == image::Reference::parse(reference).text();
    } catch (const os::Error&) {
      return false;  // no name; others complain of it
    }
  };
  for (const auto& [name, service] : stack.services)
    if (service.build && same(image_of(stack, service))) return &service;
  return nullptr;
}

std::vector<std::string> services_to_build(const manifests::Stack& stack,
                                           const std::set<std::string>& services, bool all,
                                           const Paths& paths) {
  std::set<std::string> builders;
  for (const std::string& name : services) {
    const manifests::Service& service = stack.services.at(name);
    // Several services may run what one of them builds.
    const manifests::Service* builder =
        service.build ? &service : builder_of(stack, image_of(stack, service));
    if (builder != nullptr) builders.insert(builder->name);
  }
  if (builders.empty()) return {};
  paths.make();
  const image::Store images(paths.images());
  std::vector<std::string> wanted;
  for (const std::string& name : builders) {
    const manifests::Service& service = stack.services.at(name);
    if (all || service.pull_policy == "build" || !images.find(image_of(stack, service)))
      wanted.push_back(name);
  }
  return wanted;
}

}  // namespace orchestrator
