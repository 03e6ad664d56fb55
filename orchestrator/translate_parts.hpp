// The parts of translate, a file each.
#pragma once

#include "orchestrator/translate.hpp"
#include "runtime/image/user.hpp"

namespace orchestrator {

/// Volumes, tmpfs, configs, secrets and the files in /etc.
void add_mounts(const ContainerInput& input, container::Spec& spec);
/// Limits and device rules.
void set_resources(const manifests::Service& service, container::Spec& spec);
/// Namespaces to share or join, sysctls, security options.
void set_isolation(const ContainerInput& input, container::Spec& spec);

/// Writes hosts, hostname and resolv.conf below `files`.
void write_network_files(const ContainerInput& input);

}  // namespace orchestrator
