#include "orchestrator/shared_networks.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "network/record.hpp"
#include "orchestrator/record.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/undo.hpp"

namespace orchestrator {

namespace {

/// No project's name begins so: what the network room keeps of both lies side by side.
constexpr char kMark = '+';
constexpr std::size_t kLargestNames = 1 << 20;

std::string key_of(const std::string& name) { return kMark + name; }

void require_valid(const std::string& name) {
  const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  const auto allowed = [&](char c) { return plain(c) || c == '_' || c == '.' || c == '-'; };
  if (name.empty() || name.size() > 128 || !plain(name.front()) ||
      !std::all_of(name.begin(), name.end(), allowed))
    throw os::Error("'" + name + "' is no network name: use letters, digits, '_', '.' and '-'");
}

std::optional<network::Record> read_network(const Paths& paths, const std::string& name) {
  return network::load_record(paths.run + "/networks/" + key_of(name) + "/record.json");
}

os::FileLock lock(const Paths& paths) {
  os::make_directories(paths.run + "/networks");
  return os::FileLock::acquire(paths.run + "/networks/shared.lock");
}

}  // namespace

SharedOwner SharedOwner::parse(const std::string& text) {
  const auto dot = text.rfind('.');
  if (dot == std::string::npos) return {.project = text, .container = {}};
  return {.project = text.substr(0, dot), .container = text.substr(dot + 1)};
}

std::string SharedNetworks::definition(const std::string& name) const {
  require_valid(name);
  return paths_.data + "/networks/" + name + ".json";
}

std::string SharedNetworks::names_directory(const std::string& name) const {
  require_valid(name);
  return paths_.run + "/networks/" + key_of(name) + "/names";
}

std::optional<SharedNetwork> SharedNetworks::find(const std::string& name) const {
  const std::string path = definition(name);
  const auto text = os::read_file_if_exists(path);
  if (!text) return std::nullopt;
  try {
    const Json json = Json::parse(*text);
    return SharedNetwork{.spec = network::spec_from_json(json.at("spec")),
                         .labels = json.at("labels"),
                         .created_at = json.at("created_at")};
  } catch (const nlohmann::json::exception& error) {
    throw os::Error("'" + path + "' cannot be understood: " + error.what());
  }
}

std::vector<SharedNetwork> SharedNetworks::list() const {
  std::vector<SharedNetwork> networks;
  for (const std::string& file : os::list_directory(paths_.data + "/networks")) {
    if (!file.ends_with(".json")) continue;
    if (auto network = find(file.substr(0, file.size() - 5)))
      networks.push_back(std::move(*network));
  }
  return networks;
}

void SharedNetworks::create(SharedNetwork network) {
  const std::string& name = network.spec.name;
  const std::string path = definition(name);
  {
    const os::FileLock alone = lock(paths_);
    if (os::exists(path)) throw os::Error("network with name " + name + " already exists");
    if (network.created_at.empty()) network.created_at = timestamp_now();
    const Json json = {{"version", 1},
                       {"spec", Json(network::spec_to_json(network.spec))},
                       {"labels", network.labels},
                       {"created_at", network.created_at}};
    os::make_directories(paths_.data + "/networks");
    os::write_file_atomic(path, json.dump(1) + "\n", 0600, os::Durability::synced);
  }
  os::Undo undo;
  undo.add([&] {
    network::Network::discard(paths_.run, key_of(name));
    os::remove_tree(path);
  });
  use(name, [](network::Network&) {});
  undo.commit();
}

void SharedNetworks::remove(const std::string& name) {
  const std::string path = definition(name);
  const os::FileLock alone = lock(paths_);
  if (!os::exists(path)) throw os::Error("network " + name + " not found");
  for (const SharedOwner& user : users(name)) {
    std::string container = user.container;
    for (const ContainerRecord& record : read_records(paths_, user.project))
      if (record.short_id() == user.container) container = record.name;
    throw os::Error("network " + name + " is in use by container " + container + " of project \"" +
                    user.project + "\": `stack -p " + user.project + " down` takes it away");
  }
  network::Network::discard(paths_.run, key_of(name));
  os::remove_tree(path);
}

void SharedNetworks::use(const std::string& name,
                         const std::function<void(network::Network&)>& work) {
  const os::FileLock alone = lock(paths_);
  const auto network = find(name);
  if (!network) throw os::Error("network " + name + " not found");
  network::Network opened(paths_.run, key_of(name));
  opened.ensure({network->spec});
  os::make_directories(names_directory(name));
  // What a crash kept from giving its addresses back.
  for (const std::string& owner : opened.owners())
    if (!os::exists(paths_.container(SharedOwner::parse(owner).container))) opened.release(owner);
  work(opened);
  opened.save();
}

std::optional<network::NetworkState> SharedNetworks::state(const std::string& name) {
  if (!find(name)) return std::nullopt;
  std::optional<network::NetworkState> state;
  use(name, [&](network::Network& network) { state = network.networks().at(0); });
  return state;
}

std::vector<SharedOwner> SharedNetworks::users(const std::string& name) const {
  std::vector<SharedOwner> users;
  const auto record = read_network(paths_, name);
  if (!record) return users;
  for (const network::LeaseRecord& lease : record->leases) {
    const SharedOwner owner = SharedOwner::parse(lease.owner);
    if (os::exists(paths_.container(owner.container))) users.push_back(owner);
  }
  return users;
}

std::vector<std::string> SharedNetworks::used_by(const SharedOwner& owner) const {
  std::vector<std::string> names;
  for (const std::string& entry : os::list_directory(paths_.run + "/networks")) {
    if (entry.front() != kMark) continue;
    const std::string name = entry.substr(1);
    const auto record = read_network(paths_, name);
    if (!record) continue;
    const bool uses =
        std::any_of(record->leases.begin(), record->leases.end(), [&](const auto& lease) {
          const SharedOwner each = SharedOwner::parse(lease.owner);
          return each.project == owner.project &&
                 (owner.container.empty() || each.container == owner.container);
        });
    if (uses) names.push_back(name);
  }
  return names;
}

void SharedNetworks::announce(const std::string& name, const SharedOwner& owner,
                              const network::DnsEndpoint& endpoint) {
  const Json json = {
      {"name", endpoint.name}, {"aliases", endpoint.aliases}, {"addresses", endpoint.addresses}};
  os::write_file_atomic(names_directory(name) + "/" + owner.text() + ".json", json.dump() + "\n");
}

void SharedNetworks::withdraw(const std::string& name, const SharedOwner& owner) {
  os::remove_tree(names_directory(name) + "/" + owner.text() + ".json");
}

std::map<std::string, network::DnsEndpoint> SharedNetworks::names(const std::string& name) const {
  std::map<std::string, network::DnsEndpoint> names;
  const std::string directory = names_directory(name);
  for (const std::string& file : os::list_directory(directory)) {
    if (!file.ends_with(".json")) continue;  // one that is just being written
    const auto text = os::read_file_if_exists(directory + "/" + file, kLargestNames);
    if (!text) continue;  // it was withdrawn meanwhile
    const Json json = Json::parse(*text, nullptr, false);
    if (!json.is_object()) continue;
    const auto strings = [&](const char* key) {
      return json.value(key, std::vector<std::string>());
    };
    names.emplace(file.substr(0, file.size() - 5),
                  network::DnsEndpoint{.name = json.value("name", ""),
                                       .aliases = strings("aliases"),
                                       .addresses = strings("addresses")});
  }
  return names;
}

}  // namespace orchestrator
