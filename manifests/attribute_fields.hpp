// The first half of fields.hpp: the attributes of the values that services are made of.
#pragma once

#include <concepts>
#include <type_traits>

#include "manifests/attributes.hpp"
#include "manifests/deploy.hpp"

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

}  // namespace manifests
