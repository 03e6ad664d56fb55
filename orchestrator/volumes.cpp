#include "orchestrator/volumes.hpp"

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "orchestrator/record.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace orchestrator {

namespace {

constexpr const char* kRecord = "/volume.json";

void require_valid(const std::string& name) {
  const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  const auto allowed = [&](char c) { return plain(c) || c == '_' || c == '.' || c == '-'; };
  if (name.empty() || name.size() > 255 || !plain(name.front()) ||
      !std::all_of(name.begin(), name.end(), allowed))
    throw os::Error("'" + name + "' is no volume name: use letters, digits, '_', '.' and '-'");
}

Json to_document(const VolumeRecord& volume) {
  return {{"version", 1},
          {"name", volume.name},
          {"project", volume.project},
          {"key", volume.key},
          {"anonymous", volume.anonymous},
          {"labels", volume.labels},
          {"driver_opts", volume.driver_opts},
          {"created_at", volume.created_at}};
}

VolumeRecord from_document(const Json& json) {
  VolumeRecord volume;
  json.at("name").get_to(volume.name);
  volume.project = json.value("project", "");
  volume.key = json.value("key", "");
  volume.anonymous = json.value("anonymous", false);
  volume.labels = json.value("labels", volume.labels);
  volume.driver_opts = json.value("driver_opts", volume.driver_opts);
  volume.created_at = json.value("created_at", "");
  return volume;
}

}  // namespace

std::optional<VolumeRecord> VolumeStore::find(const std::string& name) const {
  require_valid(name);
  const auto text = os::read_file_if_exists(root_ + "/" + name + kRecord);
  if (!text) return std::nullopt;
  return from_document(Json::parse(*text));
}

std::vector<VolumeRecord> VolumeStore::list() const {
  std::vector<VolumeRecord> volumes;
  for (const std::string& name : os::list_directory(root_)) {
    if (name.starts_with('.')) continue;  // work of a volume's first use
    if (auto volume = find(name)) volumes.push_back(std::move(*volume));
  }
  return volumes;
}

void VolumeStore::create(const VolumeRecord& volume) {
  if (find(volume.name)) {
    os::make_directories(directory(volume.name), 0755);  // a crash may have come before it
    return;
  }
  const std::string place = root_ + "/" + volume.name;
  os::make_directories(place, 0711);
  VolumeRecord record = volume;
  if (record.created_at.empty()) record.created_at = timestamp_now();
  os::write_file_atomic(place + kRecord, to_document(record).dump(1) + "\n", 0600,
                        os::Durability::synced);
  os::make_directories(directory(volume.name), 0755);
}

void VolumeStore::remove(const std::string& name) {
  require_valid(name);
  os::remove_tree(root_ + "/" + name);
}

}  // namespace orchestrator
