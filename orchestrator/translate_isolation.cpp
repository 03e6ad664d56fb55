#include <nlohmann/json.hpp>

#include "orchestrator/translate_parts.hpp"
#include "runtime/container/capability.hpp"
#include "runtime/container/seccomp.hpp"
#include "runtime/container/spec_json.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace orchestrator {

namespace {

using container::NamespaceType;

void share_with_host(container::Spec& spec, NamespaceType type) {
  std::erase_if(spec.linux.namespaces,
                [&](const container::Namespace& each) { return each.type == type; });
}

void join(container::Spec& spec, NamespaceType type, const std::string& path) {
  share_with_host(spec, type);
  spec.linux.namespaces.push_back({.type = type, .path = path});
}

void set_namespace(container::Spec& spec, NamespaceType type, const std::string& mode,
                   const std::string& path) {
  if (mode == "host")
    share_with_host(spec, type);
  else if (!path.empty())
    join(spec, type, path);
}

void set_seccomp(const manifests::Stack& stack, const std::string& value, container::Spec& spec) {
  if (value == "unconfined") {
    spec.linux.seccomp.reset();
    return;
  }
  if (value == "builtin") return;
  const std::string path = value.front() == '/' ? value : stack.working_directory + "/" + value;
  const nlohmann::json profile = container::parse_json(os::read_file(path), path);
  spec.linux.seccomp = container::seccomp_from_profile(
      profile, container::seccomp_environment(spec.process->capabilities->bounding));
}

void set_security_option(const manifests::Stack& stack, const std::string& option,
                         container::Spec& spec) {
  const auto border = option.find_first_of("=:");
  const std::string key = option.substr(0, border);
  const std::string value = border == std::string::npos ? "" : option.substr(border + 1);
  if (key == "no-new-privileges") {
    if (!value.empty() && value != "true" && value != "false")
      throw os::Error("invalid security-opt '" + option + "': use true or false");
    spec.process->no_new_privileges = value != "false";
  } else if (value.empty()) {
    throw os::Error("invalid security-opt: '" + option + "'");
  } else if (key == "seccomp") {
    set_seccomp(stack, value, spec);
  } else if (key == "systempaths") {
    if (value != "unconfined") throw os::Error("invalid security-opt: '" + option + "'");
    spec.linux.masked_paths.clear();
    spec.linux.readonly_paths.clear();
  } else if (key == "apparmor") {
    if (value != "unconfined") spec.process->apparmor_profile = value;
  } else if (key == "label") {
    if (value != "disable")
      throw os::Error("security-opt '" + option + "' needs SELinux, which this host does not run");
  } else {
    throw os::Error("invalid security-opt: '" + option + "'");
  }
}

void set_sysctls(const manifests::Service& service, container::Spec& spec) {
  for (const auto& [name, value] : service.sysctls) {
    if (service.network_mode == "host" && name.starts_with("net."))
      throw os::Error("sysctl \"" + name + "\" not allowed in host network namespace");
    spec.linux.sysctl[name] = value;
  }
}

}  // namespace

void set_isolation(const ContainerInput& input, container::Spec& spec) {
  const manifests::Service& service = *input.service;
  set_namespace(spec, NamespaceType::network, service.network_mode, input.network_namespace);
  set_namespace(spec, NamespaceType::pid, service.pid, input.pid_namespace);
  set_namespace(spec, NamespaceType::ipc, service.ipc, input.ipc_namespace);
  if (service.uts == "host") share_with_host(spec, NamespaceType::uts);
  if (!input.network_namespace.empty())  // its sysctls are those of the container that owns it
    std::erase_if(spec.linux.sysctl,
                  [](const auto& each) { return each.first.starts_with("net."); });
  for (const std::string& option : service.security_opt)
    set_security_option(*input.stack, option, spec);
  set_sysctls(service, spec);
}

}  // namespace orchestrator
