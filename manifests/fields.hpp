// Every attribute of every type of stack.hpp, once, in the order `config` shows it. Decode and
// print walk these lists, so that what one reads the other writes. A visitor takes
//   field(key, member)     left out when empty, false, zero or unset
//   always(key, member)    written whatever it holds
//   hosts(key, member)     `extra_hosts`: written as a sorted list of `host=address`
//   extensions(member)     the `x-*` keys
#pragma once

#include "manifests/attribute_fields.hpp"
#include "manifests/stack.hpp"

namespace manifests {

template <class Visitor>
void describe(Same<UpdateConfig> auto& update, Visitor& visit) {
  visit.field("parallelism", update.parallelism);
  visit.field("delay", update.delay);
  visit.field("failure_action", update.failure_action);
  visit.field("monitor", update.monitor);
  visit.field("max_failure_ratio", update.max_failure_ratio);
  visit.field("order", update.order);
  visit.extensions(update.extensions);
}

template <class Visitor>
void describe(Same<DeployRestartPolicy> auto& policy, Visitor& visit) {
  visit.field("condition", policy.condition);
  visit.field("delay", policy.delay);
  visit.field("max_attempts", policy.max_attempts);
  visit.field("window", policy.window);
  visit.extensions(policy.extensions);
}

template <class Visitor>
void describe(Same<PlacementPreference> auto& preference, Visitor& visit) {
  visit.field("spread", preference.spread);
  visit.extensions(preference.extensions);
}

template <class Visitor>
void describe(Same<Placement> auto& placement, Visitor& visit) {
  visit.field("constraints", placement.constraints);
  visit.field("preferences", placement.preferences);
  visit.field("max_replicas_per_node", placement.max_replicas_per_node);
  visit.extensions(placement.extensions);
}

template <class Visitor>
void describe(Same<Deploy> auto& deploy, Visitor& visit) {
  visit.field("mode", deploy.mode);
  visit.field("replicas", deploy.replicas);
  visit.field("labels", deploy.labels);
  visit.field("update_config", deploy.update_config);
  visit.field("rollback_config", deploy.rollback_config);
  visit.always("resources", deploy.resources);
  visit.field("restart_policy", deploy.restart_policy);
  visit.always("placement", deploy.placement);
  visit.field("endpoint_mode", deploy.endpoint_mode);
  visit.extensions(deploy.extensions);
}

template <class Visitor>
void describe(Same<Build> auto& build, Visitor& visit) {
  visit.field("context", build.context);
  visit.field("dockerfile", build.dockerfile);
  visit.field("dockerfile_inline", build.dockerfile_inline);
  visit.field("entitlements", build.entitlements);
  visit.field("args", build.args);
  visit.field("provenance", build.provenance);
  visit.field("sbom", build.sbom);
  visit.field("ssh", build.ssh);
  visit.field("labels", build.labels);
  visit.field("cache_from", build.cache_from);
  visit.field("cache_to", build.cache_to);
  visit.field("no_cache", build.no_cache);
  visit.field("no_cache_filter", build.no_cache_filter);
  visit.field("additional_contexts", build.additional_contexts);
  visit.field("pull", build.pull);
  visit.hosts("extra_hosts", build.extra_hosts);
  visit.field("isolation", build.isolation);
  visit.field("network", build.network);
  visit.field("target", build.target);
  visit.field("secrets", build.secrets);
  visit.field("shm_size", build.shm_size);
  visit.field("tags", build.tags);
  visit.field("ulimits", build.ulimits);
  visit.field("platforms", build.platforms);
  visit.field("privileged", build.privileged);
  visit.extensions(build.extensions);
}

template <class Visitor>
void describe(Same<WatchRule> auto& rule, Visitor& visit) {
  visit.always("path", rule.path);
  visit.always("action", rule.action);
  visit.field("target", rule.target);
  visit.always("exec", rule.exec);
  visit.field("include", rule.include);
  visit.field("ignore", rule.ignore);
  visit.field("initial_sync", rule.initial_sync);
  visit.extensions(rule.extensions);
}

template <class Visitor>
void describe(Same<Develop> auto& develop, Visitor& visit) {
  visit.field("watch", develop.watch);
  visit.extensions(develop.extensions);
}

template <class Visitor>
void describe(Same<Logging> auto& logging, Visitor& visit) {
  visit.field("driver", logging.driver);
  visit.field("options", logging.options);
  visit.extensions(logging.extensions);
}

template <class Visitor>
void describe(Same<CredentialSpec> auto& credentials, Visitor& visit) {
  visit.field("config", credentials.config);
  visit.field("file", credentials.file);
  visit.field("registry", credentials.registry);
  visit.extensions(credentials.extensions);
}

template <class Visitor>
void describe(Same<Provider> auto& provider, Visitor& visit) {
  visit.field("type", provider.type);
  visit.field("options", provider.options);
  visit.extensions(provider.extensions);
}

template <class Visitor>
void describe(Same<ModelUse> auto& use, Visitor& visit) {
  visit.field("endpoint_var", use.endpoint_var);
  visit.field("model_var", use.model_var);
  visit.extensions(use.extensions);
}

template <class Visitor>
void describe(Same<IpamPool> auto& pool, Visitor& visit) {
  visit.field("subnet", pool.subnet);
  visit.field("gateway", pool.gateway);
  visit.field("ip_range", pool.ip_range);
  visit.field("aux_addresses", pool.aux_addresses);
  visit.extensions(pool.extensions);
}

template <class Visitor>
void describe(Same<Ipam> auto& ipam, Visitor& visit) {
  visit.field("driver", ipam.driver);
  visit.field("config", ipam.config);
  visit.field("options", ipam.options);
  visit.extensions(ipam.extensions);
}

template <class Visitor>
void describe(Same<Network> auto& network, Visitor& visit) {
  visit.field("name", network.name);
  visit.field("driver", network.driver);
  visit.field("driver_opts", network.driver_opts);
  visit.always("ipam", network.ipam);
  visit.field("external", network.external);
  visit.field("internal", network.internal);
  visit.field("attachable", network.attachable);
  visit.field("labels", network.labels);
  visit.field("enable_ipv4", network.enable_ipv4);
  visit.field("enable_ipv6", network.enable_ipv6);
  visit.extensions(network.extensions);
}

template <class Visitor>
void describe(Same<Volume> auto& volume, Visitor& visit) {
  visit.field("name", volume.name);
  visit.field("driver", volume.driver);
  visit.field("driver_opts", volume.driver_opts);
  visit.field("external", volume.external);
  visit.field("labels", volume.labels);
  visit.extensions(volume.extensions);
}

template <class Visitor>
void describe(Same<FileObject> auto& object, Visitor& visit) {
  visit.field("name", object.name);
  visit.field("file", object.file);
  visit.field("environment", object.environment);
  visit.field("content", object.content);
  visit.field("external", object.external);
  visit.field("labels", object.labels);
  visit.field("driver", object.driver);
  visit.field("driver_opts", object.driver_opts);
  visit.field("template_driver", object.template_driver);
  visit.extensions(object.extensions);
}

template <class Visitor>
void describe(Same<Model> auto& model, Visitor& visit) {
  visit.field("name", model.name);
  visit.field("model", model.model);
  visit.field("context_size", model.context_size);
  visit.field("runtime_flags", model.runtime_flags);
  visit.extensions(model.extensions);
}

template <class Visitor>
void describe_limits_and_process(Same<Service> auto& service, Visitor& visit) {
  visit.field("profiles", service.profiles);
  visit.field("annotations", service.annotations);
  visit.field("attach", service.attach);
  visit.field("build", service.build);
  visit.field("develop", service.develop);
  visit.field("blkio_config", service.blkio_config);
  visit.field("cap_add", service.cap_add);
  visit.field("cap_drop", service.cap_drop);
  visit.field("cgroup_parent", service.cgroup_parent);
  visit.field("cgroup", service.cgroup);
  visit.field("cpu_count", service.cpu_count);
  visit.field("cpu_percent", service.cpu_percent);
  visit.field("cpu_period", service.cpu_period);
  visit.field("cpu_quota", service.cpu_quota);
  visit.field("cpu_rt_period", service.cpu_rt_period);
  visit.field("cpu_rt_runtime", service.cpu_rt_runtime);
  visit.field("cpus", service.cpus);
  visit.field("cpuset", service.cpuset);
  visit.field("cpu_shares", service.cpu_shares);
  visit.always("command", service.command);
  visit.field("configs", service.configs);
  visit.field("container_name", service.container_name);
  visit.field("credential_spec", service.credential_spec);
  visit.field("depends_on", service.depends_on);
  visit.field("deploy", service.deploy);
  visit.field("device_cgroup_rules", service.device_cgroup_rules);
  visit.field("devices", service.devices);
  visit.field("dns", service.dns);
  visit.field("dns_opt", service.dns_opt);
  visit.field("dns_search", service.dns_search);
  visit.field("domainname", service.domainname);
  visit.always("entrypoint", service.entrypoint);
  visit.field("provider", service.provider);
  visit.field("environment", service.environment);
  visit.field("env_file", service.env_file);
  visit.field("expose", service.expose);
  visit.field("external_links", service.external_links);
  visit.hosts("extra_hosts", service.extra_hosts);
  visit.field("group_add", service.group_add);
  visit.field("gpus", service.gpus);
  visit.field("hostname", service.hostname);
  visit.field("healthcheck", service.healthcheck);
}

template <class Visitor>
void describe_image_and_mounts(Same<Service> auto& service, Visitor& visit) {
  visit.field("image", service.image);
  visit.field("init", service.init);
  visit.field("ipc", service.ipc);
  visit.field("isolation", service.isolation);
  visit.field("labels", service.labels);
  visit.field("label_file", service.label_file);
  visit.field("links", service.links);
  visit.field("logging", service.logging);
  visit.field("mem_limit", service.mem_limit);
  visit.field("mem_reservation", service.mem_reservation);
  visit.field("memswap_limit", service.memswap_limit);
  visit.field("mem_swappiness", service.mem_swappiness);
  visit.field("mac_address", service.mac_address);
  visit.field("models", service.models);
  visit.field("network_mode", service.network_mode);
  visit.field("networks", service.networks);
  visit.field("oom_kill_disable", service.oom_kill_disable);
  visit.field("oom_score_adj", service.oom_score_adj);
  visit.field("pid", service.pid);
  visit.field("pids_limit", service.pids_limit);
  visit.field("platform", service.platform);
  visit.field("ports", service.ports);
  visit.field("privileged", service.privileged);
  visit.field("pull_policy", service.pull_policy);
  visit.field("read_only", service.read_only);
  visit.field("restart", service.restart);
  visit.field("runtime", service.runtime);
  visit.field("scale", service.scale);
  visit.field("secrets", service.secrets);
  visit.field("security_opt", service.security_opt);
  visit.field("shm_size", service.shm_size);
  visit.field("stdin_open", service.stdin_open);
  visit.field("stop_grace_period", service.stop_grace_period);
  visit.field("stop_signal", service.stop_signal);
  visit.field("storage_opt", service.storage_opt);
  visit.field("sysctls", service.sysctls);
  visit.field("tmpfs", service.tmpfs);
  visit.field("tty", service.tty);
  visit.field("ulimits", service.ulimits);
  visit.field("use_api_socket", service.use_api_socket);
  visit.field("user", service.user);
  visit.field("userns_mode", service.userns_mode);
  visit.field("uts", service.uts);
  visit.field("volumes", service.volumes);
  visit.field("volumes_from", service.volumes_from);
  visit.field("working_dir", service.working_dir);
  visit.field("pre_start", service.pre_start);
  visit.field("post_start", service.post_start);
  visit.field("pre_stop", service.pre_stop);
  visit.extensions(service.extensions);
}

template <class Visitor>
void describe(Same<Service> auto& service, Visitor& visit) {
  describe_limits_and_process(service, visit);
  describe_image_and_mounts(service, visit);
}

}  // namespace manifests
