// Every attribute of every type of stack.hpp, once, in the order `config` shows it. Decode and
// print walk these lists, so that what one reads the other writes. A visitor takes
//   field(key, member)     left out when empty, false, zero or unset
//   always(key, member)    written whatever it holds
//   hosts(key, member)     `extra_hosts`: written as a sorted list of `host=address`
//   extensions(member)     the `x-*` keys
#pragma once

#include <concepts>
#include <type_traits>

#include "manifests/stack.hpp"

namespace manifests {

template <class T, class Plain>
concept Same = std::same_as<std::remove_const_t<T>, Plain>;

template <class Visitor>
void describe(Same<Hook> auto& hook, Visitor& visit) {
  visit.always("command", hook.command);
  visit.field("user", hook.user);
  visit.field("privileged", hook.privileged);
  visit.field("working_dir", hook.working_dir);
  visit.field("environment", hook.environment);
  visit.field("image", hook.image);
  visit.field("per_replica", hook.per_replica);
  visit.extensions(hook.extensions);
}

template <class Visitor>
void describe(Same<Healthcheck> auto& check, Visitor& visit) {
  visit.field("test", check.test);
  visit.field("timeout", check.timeout);
  visit.field("interval", check.interval);
  visit.field("retries", check.retries);
  visit.field("start_period", check.start_period);
  visit.field("start_interval", check.start_interval);
  visit.field("disable", check.disable);
  visit.extensions(check.extensions);
}

template <class Visitor>
void describe(Same<Dependency> auto& dependency, Visitor& visit) {
  visit.always("condition", dependency.condition);
  visit.field("restart", dependency.restart);
  visit.always("required", dependency.required);
  visit.extensions(dependency.extensions);
}

template <class Visitor>
void describe(Same<Port> auto& port, Visitor& visit) {
  visit.field("name", port.name);
  visit.field("mode", port.mode);
  visit.field("host_ip", port.host_ip);
  visit.field("target", port.target);
  visit.field("published", port.published);
  visit.always("protocol", port.protocol);
  visit.field("app_protocol", port.app_protocol);
  visit.extensions(port.extensions);
}

template <class Visitor>
void describe(Same<NetworkAttachment> auto& attachment, Visitor& visit) {
  visit.field("aliases", attachment.aliases);
  visit.field("driver_opts", attachment.driver_opts);
  visit.field("gw_priority", attachment.gw_priority);
  visit.field("interface_name", attachment.interface_name);
  visit.field("ipv4_address", attachment.ipv4_address);
  visit.field("ipv6_address", attachment.ipv6_address);
  visit.field("link_local_ips", attachment.link_local_ips);
  visit.field("mac_address", attachment.mac_address);
  visit.field("priority", attachment.priority);
  visit.extensions(attachment.extensions);
}

template <class Visitor>
void describe(Same<BindOptions> auto& bind, Visitor& visit) {
  visit.field("selinux", bind.selinux);
  visit.field("propagation", bind.propagation);
  visit.field("create_host_path", bind.create_host_path);
  visit.field("recursive", bind.recursive);
  visit.extensions(bind.extensions);
}

template <class Visitor>
void describe(Same<VolumeOptions> auto& volume, Visitor& visit) {
  visit.field("labels", volume.labels);
  visit.field("nocopy", volume.nocopy);
  visit.field("subpath", volume.subpath);
  visit.extensions(volume.extensions);
}

template <class Visitor>
void describe(Same<TmpfsOptions> auto& tmpfs, Visitor& visit) {
  visit.field("size", tmpfs.size);
  visit.field("mode", tmpfs.mode);
  visit.extensions(tmpfs.extensions);
}

template <class Visitor>
void describe(Same<ImageOptions> auto& image, Visitor& visit) {
  visit.field("subpath", image.subpath);
  visit.extensions(image.extensions);
}

template <class Visitor>
void describe(Same<Mount> auto& mount, Visitor& visit) {
  visit.always("type", mount.type);
  visit.field("source", mount.source);
  visit.field("target", mount.target);
  visit.field("read_only", mount.read_only);
  visit.field("consistency", mount.consistency);
  visit.field("bind", mount.bind);
  visit.field("volume", mount.volume);
  visit.field("tmpfs", mount.tmpfs);
  visit.field("image", mount.image);
  visit.extensions(mount.extensions);
}

template <class Visitor>
void describe(Same<FileMount> auto& mount, Visitor& visit) {
  visit.field("source", mount.source);
  visit.field("target", mount.target);
  visit.field("uid", mount.uid);
  visit.field("gid", mount.gid);
  visit.field("mode", mount.mode);
  visit.extensions(mount.extensions);
}

template <class Visitor>
void describe(Same<EnvFile> auto& file, Visitor& visit) {
  visit.field("path", file.path);
  visit.always("required", file.required);
  visit.field("format", file.format);
}

template <class Visitor>
void describe(Same<Device> auto& device, Visitor& visit) {
  visit.field("source", device.source);
  visit.field("target", device.target);
  visit.field("permissions", device.permissions);
  visit.extensions(device.extensions);
}

template <class Visitor>
void describe(Same<Ulimit> auto& limit, Visitor& visit) {
  visit.field("single", limit.single);
  visit.field("soft", limit.soft);
  visit.field("hard", limit.hard);
  visit.extensions(limit.extensions);
}

template <class Visitor>
void describe(Same<WeightDevice> auto& device, Visitor& visit) {
  visit.always("path", device.path);
  visit.always("weight", device.weight);
  visit.extensions(device.extensions);
}

template <class Visitor>
void describe(Same<ThrottleDevice> auto& device, Visitor& visit) {
  visit.always("path", device.path);
  visit.always("rate", device.rate);
  visit.extensions(device.extensions);
}

template <class Visitor>
void describe(Same<BlkioConfig> auto& blkio, Visitor& visit) {
  visit.field("weight", blkio.weight);
  visit.field("weight_device", blkio.weight_device);
  visit.field("device_read_bps", blkio.device_read_bps);
  visit.field("device_read_iops", blkio.device_read_iops);
  visit.field("device_write_bps", blkio.device_write_bps);
  visit.field("device_write_iops", blkio.device_write_iops);
  visit.extensions(blkio.extensions);
}

template <class Visitor>
void describe(Same<DeviceRequest> auto& request, Visitor& visit) {
  visit.field("capabilities", request.capabilities);
  visit.field("driver", request.driver);
  visit.field("count", request.count);
  visit.field("device_ids", request.device_ids);
  visit.field("options", request.options);
}

template <class Visitor>
void describe(Same<GenericResource::Discrete> auto& resource, Visitor& visit) {
  visit.always("kind", resource.kind);
  visit.always("value", resource.value);
  visit.extensions(resource.extensions);
}

template <class Visitor>
void describe(Same<GenericResource> auto& resource, Visitor& visit) {
  visit.field("discrete_resource_spec", resource.discrete_resource_spec);
  visit.extensions(resource.extensions);
}

template <class Visitor>
void describe(Same<Resource> auto& resource, Visitor& visit) {
  visit.field("cpus", resource.cpus);
  visit.field("memory", resource.memory);
  visit.field("pids", resource.pids);
  visit.field("devices", resource.devices);
  visit.field("generic_resources", resource.generic_resources);
  visit.extensions(resource.extensions);
}

template <class Visitor>
void describe(Same<Resources> auto& resources, Visitor& visit) {
  visit.field("limits", resources.limits);
  visit.field("reservations", resources.reservations);
  visit.extensions(resources.extensions);
}

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
