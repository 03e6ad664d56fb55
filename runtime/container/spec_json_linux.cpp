#include "runtime/container/spec_json_linux.hpp"

#include <array>

#include "runtime/container/json_writer.hpp"
#include "runtime/container/seccomp_json.hpp"

namespace container {

using nlohmann::json;

namespace {

std::optional<NamespaceType> namespace_type(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(NamespaceType::time); ++i) {
    const auto type = static_cast<NamespaceType>(i);
    if (namespace_name(type) == name) return type;
  }
  return std::nullopt;
}

std::optional<char> one_letter_of(std::string_view text, std::string_view letters) {
  if (text.size() != 1 || letters.find(text[0]) == std::string_view::npos) return std::nullopt;
  return text[0];
}

}  // namespace

// Reading.

void read_json(const JsonReader& reader, IdMapping& mapping) {
  if (!reader.is_object()) return;
  reader.property("containerID", mapping.container_id);
  reader.property("hostID", mapping.host_id);
  reader.property("size", mapping.size);
}

void read_json(const JsonReader& reader, Namespace& entry) {
  if (!reader.is_object()) return;
  if (!reader.find("type")) reader.mistake("a namespace needs a type");
  reader.name("type", entry.type, namespace_type, "a namespace");
  reader.property("path", entry.path);
}

void read_json(const JsonReader& reader, Device& device) {
  if (!reader.is_object()) return;
  const auto type = [](std::string_view text) { return one_letter_of(text, "cbup"); };
  if (!reader.find("type")) reader.mistake("a device needs a type");
  reader.name("type", device.type, type, "a device type (c, b, u or p)");
  reader.property("path", device.path);
  reader.property("major", device.major);
  reader.property("minor", device.minor);
  reader.property("fileMode", device.file_mode);
  reader.property("uid", device.uid);
  reader.property("gid", device.gid);
}

void read_json(const JsonReader& reader, DeviceRule& rule) {
  if (!reader.is_object()) return;
  const auto type = [](std::string_view text) { return one_letter_of(text, "acb"); };
  reader.property("allow", rule.allow);
  reader.name("type", rule.type, type, "a device type (a, c or b)");
  reader.property("major", rule.major);
  reader.property("minor", rule.minor);
  reader.property("access", rule.access);
}

void read_json(const JsonReader& reader, MemoryResources& memory) {
  if (!reader.is_object()) return;
  reader.property("limit", memory.limit);
  reader.property("reservation", memory.reservation);
  reader.property("swap", memory.swap);
  reader.property("swappiness", memory.swappiness);
  reader.property("disableOOMKiller", memory.disable_oom_killer);
}

void read_json(const JsonReader& reader, CpuResources& cpu) {
  if (!reader.is_object()) return;
  reader.property("shares", cpu.shares);
  reader.property("quota", cpu.quota);
  reader.property("burst", cpu.burst);
  reader.property("period", cpu.period);
  reader.property("realtimeRuntime", cpu.realtime_runtime);
  reader.property("realtimePeriod", cpu.realtime_period);
  reader.property("cpus", cpu.cpus);
  reader.property("mems", cpu.mems);
  reader.property("idle", cpu.idle);
}

void read_json(const JsonReader& reader, WeightDevice& device) {
  if (!reader.is_object()) return;
  reader.property("major", device.major);
  reader.property("minor", device.minor);
  reader.property("weight", device.weight);
  reader.property("leafWeight", device.leaf_weight);
}

void read_json(const JsonReader& reader, ThrottleDevice& device) {
  if (!reader.is_object()) return;
  reader.property("major", device.major);
  reader.property("minor", device.minor);
  reader.property("rate", device.rate);
}

void read_json(const JsonReader& reader, BlockIoResources& block_io) {
  if (!reader.is_object()) return;
  reader.property("weight", block_io.weight);
  reader.property("leafWeight", block_io.leaf_weight);
  reader.property("weightDevice", block_io.weight_devices);
  reader.property("throttleReadBpsDevice", block_io.read_bps);
  reader.property("throttleWriteBpsDevice", block_io.write_bps);
  reader.property("throttleReadIOPSDevice", block_io.read_iops);
  reader.property("throttleWriteIOPSDevice", block_io.write_iops);
}

void read_json(const JsonReader& reader, HugepageLimit& limit) {
  if (!reader.is_object()) return;
  reader.property("pageSize", limit.page_size);
  reader.property("limit", limit.limit);
}

void read_json(const JsonReader& reader, NetworkResources& network) {
  if (!reader.is_object()) return;
  reader.property("classID", network.class_id);
  const auto priorities = reader.find("priorities");
  if (!priorities) return;
  priorities->for_each([&](const JsonReader& entry) {
    std::string name;
    std::uint32_t priority = 0;
    if (!entry.is_object()) return;
    entry.property("name", name);
    entry.property("priority", priority);
    network.priorities.insert_or_assign(name, priority);
  });
}

void read_json(const JsonReader& reader, RdmaLimit& limit) {
  if (!reader.is_object()) return;
  reader.property("hcaHandles", limit.handles);
  reader.property("hcaObjects", limit.objects);
}

void read_json(const JsonReader& reader, Resources& resources) {
  if (!reader.is_object()) return;
  reader.property("devices", resources.devices);
  reader.property("memory", resources.memory);
  reader.property("cpu", resources.cpu);
  if (const auto pids = reader.find("pids"); pids && pids->is_object()) {
    pids->property("limit", resources.pids_limit);
  }
  reader.property("blockIO", resources.block_io);
  reader.property("hugepageLimits", resources.hugepage_limits);
  reader.property("network", resources.network);
  reader.property("rdma", resources.rdma);
  reader.property("unified", resources.unified);
}

void read_json(const JsonReader& reader, Personality& personality) {
  if (!reader.is_object()) return;
  reader.property("domain", personality.domain);
  reader.property("flags", personality.flags);
}

void read_json(const JsonReader& reader, TimeOffset& offset) {
  if (!reader.is_object()) return;
  reader.property("secs", offset.secs);
  reader.property("nanosecs", offset.nanosecs);
}

void read_json(const JsonReader& reader, Linux& linux) {
  if (!reader.is_object()) return;
  reader.property("namespaces", linux.namespaces);
  reader.property("uidMappings", linux.uid_mappings);
  reader.property("gidMappings", linux.gid_mappings);
  reader.property("devices", linux.devices);
  reader.property("resources", linux.resources);
  reader.property("cgroupsPath", linux.cgroups_path);
  reader.property("sysctl", linux.sysctl);
  reader.property("seccomp", linux.seccomp);
  reader.property("rootfsPropagation", linux.rootfs_propagation);
  reader.property("maskedPaths", linux.masked_paths);
  reader.property("readonlyPaths", linux.readonly_paths);
  reader.property("mountLabel", linux.mount_label);
  reader.property("personality", linux.personality);
  reader.property("timeOffsets", linux.time_offsets);
  for (const char* key : {"intelRdt", "memoryPolicy", "netDevices"}) {
    const auto found = reader.find(key);
    if (found && !found->value().empty()) linux.unsupported.emplace_back(key);
  }
}

// Writing.

void to_json(json& object, const IdMapping& mapping) {
  object = {
      {"containerID", mapping.container_id}, {"hostID", mapping.host_id}, {"size", mapping.size}};
}

void to_json(json& object, const Namespace& entry) {
  object = {{"type", std::string(namespace_name(entry.type))}};
  put(object, "path", entry.path);
}

void to_json(json& object, const Device& device) {
  object = {{"type", std::string(1, device.type)},
            {"path", device.path},
            {"major", device.major},
            {"minor", device.minor}};
  put(object, "fileMode", device.file_mode);
  put(object, "uid", device.uid);
  put(object, "gid", device.gid);
}

void to_json(json& object, const DeviceRule& rule) {
  object = {{"allow", rule.allow}, {"type", std::string(1, rule.type)}};
  put(object, "major", rule.major);
  put(object, "minor", rule.minor);
  put(object, "access", rule.access);
}

void to_json(json& object, const MemoryResources& memory) {
  object = json::object();
  put(object, "limit", memory.limit);
  put(object, "reservation", memory.reservation);
  put(object, "swap", memory.swap);
  put(object, "swappiness", memory.swappiness);
  put(object, "disableOOMKiller", memory.disable_oom_killer);
}

void to_json(json& object, const CpuResources& cpu) {
  object = json::object();
  put(object, "shares", cpu.shares);
  put(object, "quota", cpu.quota);
  put(object, "burst", cpu.burst);
  put(object, "period", cpu.period);
  put(object, "realtimeRuntime", cpu.realtime_runtime);
  put(object, "realtimePeriod", cpu.realtime_period);
  put(object, "cpus", cpu.cpus);
  put(object, "mems", cpu.mems);
  put(object, "idle", cpu.idle);
}

void to_json(json& object, const WeightDevice& device) {
  object = {{"major", device.major}, {"minor", device.minor}};
  put(object, "weight", device.weight);
  put(object, "leafWeight", device.leaf_weight);
}

void to_json(json& object, const ThrottleDevice& device) {
  object = {{"major", device.major}, {"minor", device.minor}, {"rate", device.rate}};
}

void to_json(json& object, const BlockIoResources& block_io) {
  object = json::object();
  put(object, "weight", block_io.weight);
  put(object, "leafWeight", block_io.leaf_weight);
  put(object, "weightDevice", block_io.weight_devices);
  put(object, "throttleReadBpsDevice", block_io.read_bps);
  put(object, "throttleWriteBpsDevice", block_io.write_bps);
  put(object, "throttleReadIOPSDevice", block_io.read_iops);
  put(object, "throttleWriteIOPSDevice", block_io.write_iops);
}

void to_json(json& object, const HugepageLimit& limit) {
  object = {{"pageSize", limit.page_size}, {"limit", limit.limit}};
}

void to_json(json& object, const NetworkResources& network) {
  object = json::object();
  put(object, "classID", network.class_id);
  for (const auto& [name, priority] : network.priorities) {
    object["priorities"].push_back({{"name", name}, {"priority", priority}});
  }
}

void to_json(json& object, const RdmaLimit& limit) {
  object = json::object();
  put(object, "hcaHandles", limit.handles);
  put(object, "hcaObjects", limit.objects);
}

void to_json(json& object, const Resources& resources) {
  object = json::object();
  put(object, "devices", resources.devices);
  put(object, "memory", json(resources.memory));
  put(object, "cpu", json(resources.cpu));
  if (resources.pids_limit) object["pids"] = {{"limit", *resources.pids_limit}};
  put(object, "blockIO", json(resources.block_io));
  put(object, "hugepageLimits", resources.hugepage_limits);
  put(object, "network", json(resources.network));
  put(object, "rdma", resources.rdma);
  put(object, "unified", resources.unified);
}

void to_json(json& object, const Personality& personality) {
  object = {{"domain", personality.domain}};
  put(object, "flags", personality.flags);
}

void to_json(json& object, const TimeOffset& offset) {
  object = {{"secs", offset.secs}, {"nanosecs", offset.nanosecs}};
}

void to_json(json& object, const Linux& linux) {
  object = json::object();
  put(object, "namespaces", linux.namespaces);
  put(object, "uidMappings", linux.uid_mappings);
  put(object, "gidMappings", linux.gid_mappings);
  put(object, "devices", linux.devices);
  put(object, "resources", json(linux.resources));
  put(object, "cgroupsPath", linux.cgroups_path);
  put(object, "sysctl", linux.sysctl);
  put(object, "seccomp", linux.seccomp);
  put(object, "rootfsPropagation", linux.rootfs_propagation);
  put(object, "maskedPaths", linux.masked_paths);
  put(object, "readonlyPaths", linux.readonly_paths);
  put(object, "mountLabel", linux.mount_label);
  put(object, "personality", linux.personality);
  put(object, "timeOffsets", linux.time_offsets);
}

}  // namespace container
