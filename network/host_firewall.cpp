#include "network/host_firewall.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "network/firewall.hpp"
#include "network/nftables.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace network {

namespace {

/// Whether the table holds an uplink beside `device`. A table that cannot be understood does.
bool has_other_uplinks(const std::string& device) {
  const std::string text = nft_list("list set inet stack uplinks");
  if (text.empty()) return false;
  const nlohmann::json answer = nlohmann::json::parse(text, nullptr, false);
  if (answer.is_discarded() || !answer.contains("nftables")) return true;
  for (const nlohmann::json& object : answer["nftables"]) {
    if (!object.contains("set")) continue;
    const nlohmann::json elements = object["set"].value("elem", nlohmann::json());
    return !elements.empty() && elements != nlohmann::json::array({device});
  }
  return false;
}

/// Whether nothing was taken out of the table: each chain has rules, each uplink is there.
bool is_whole(const std::string& table, const std::vector<Record>& records) {
  const nlohmann::json answer = nlohmann::json::parse(table, nullptr, false);
  if (!answer.is_object() || !answer.contains("nftables")) return false;
  std::set<std::string> missing;  // "chain NAME", "uplink DEVICE"
  for (const Record& record : records)
    if (record.uplink) missing.insert("uplink " + record.uplink->device);
  int chains = 0;
  for (const nlohmann::json& object : answer["nftables"])
    if (object.contains("chain")) {
      missing.insert("chain " + object["chain"].value("name", ""));
      ++chains;
    }
  for (const nlohmann::json& object : answer["nftables"]) {
    if (object.contains("rule")) missing.erase("chain " + object["rule"].value("chain", ""));
    if (!object.contains("set") || object["set"].value("name", "") != "uplinks") continue;
    for (const nlohmann::json& element : object["set"].value("elem", nlohmann::json::array()))
      if (element.is_string()) missing.erase("uplink " + element.get<std::string>());
  }
  return chains == kHostChains && missing.empty();
}

}  // namespace

std::vector<Record> HostFirewall::records() const {
  std::vector<Record> records;
  for (const std::string& project : os::list_directory(networks_dir_)) {
    try {
      std::optional<Record> record = load_record(networks_dir_ + "/" + project + "/record.json");
      if (record) records.push_back(std::move(*record));
    } catch (const os::Error&) {
      // One stack's broken record must not keep the others off the network; its own next Network
      // complains about it.
      continue;
    }
  }
  return records;
}

void HostFirewall::rebuild() const {
  const std::string ruleset = host_ruleset(records());
  if (!nft_has_table("inet", "stack")) return nft_commit(ruleset);
  try {
    // Rules are one for all. Elements stay: some may be of stacks that other directories keep, and
    // supervisors that take them from each other would do so for ever.
    nft_commit("flush table inet stack\n" + ruleset);
  } catch (const os::Error&) {
    // What is there is not what this makes, as when another version left it.
    nft_replace_table("inet", "stack", ruleset);
  }
}

void HostFirewall::restore() const {
  const std::vector<Record> stacks = records();
  const bool any = std::any_of(stacks.begin(), stacks.end(),
                               [](const Record& each) { return each.uplink.has_value(); });
  if (!any || is_whole(nft_list("list table inet stack"), stacks)) return;
  rebuild();
  if (!is_whole(nft_list("list table inet stack"), stacks))
    throw os::Error("the firewall's table inet stack was made again and is not whole");
}

void HostFirewall::commit(const std::string& changes) const {
  if (changes.empty()) return;
  try {
    nft_commit(changes);
  } catch (const os::Error& error) {
    if (error.code() != ENOENT) throw;
    // Someone flushed the table: from the records, then the changes, which may be removals.
    rebuild();
    nft_commit(changes);
  }
}

void HostFirewall::add_stack(const Record& record) const {
  if (!nft_has_table("inet", "stack")) return rebuild();
  commit(host_uplink_elements(Change::add, record.uplink.value()) +
         host_port_elements(Change::add, *record.uplink, record.publications));
}

void HostFirewall::remove_stack(const Record& record) const {
  if (!record.uplink) return;
  const bool is_last = !has_other_uplinks(record.uplink->device);
  try {
    nft_commit(is_last ? "delete table inet stack\n"
                       : host_port_elements(Change::remove, *record.uplink, record.publications) +
                             host_uplink_elements(Change::remove, *record.uplink));
  } catch (const os::Error& error) {
    // The whole table is gone: so is the stack from it.
    if (error.code() != ENOENT) throw;
  }
}

}  // namespace network
