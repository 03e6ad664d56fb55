#include "network/foreign_firewall.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "network/nftables.hpp"
#include "runtime/os/file.hpp"

namespace network {

namespace {

constexpr const char* kTag = "stack: uplinks";
constexpr const char* kFamilies[] = {"ip", "ip6"};

std::string chain_of(const char* family) { return std::string(family) + " filter FORWARD"; }

ForwardChain read_chain(const char* family) {
  // The common answer, without a listing.
  if (!nft_has_table(family, "filter")) return {};
  return parse_forward_chain(nft_list("list chain " + chain_of(family)));
}

}  // namespace

ForwardChain parse_forward_chain(const std::string& json) {
  ForwardChain result;
  const nlohmann::json answer = nlohmann::json::parse(json, nullptr, false);
  if (!answer.is_object() || !answer.contains("nftables")) return result;
  for (const nlohmann::json& object : answer["nftables"]) {
    if (object.contains("chain")) {
      result.drops = object["chain"].value("policy", "accept") == "drop";
    }
    if (object.contains("rule") && object["rule"].value("comment", "") == kTag) {
      result.ours.push_back(object["rule"].value("handle", std::uint64_t{0}));
    }
  }
  return result;
}

void admit_stacks_to_foreign_firewall() {
  for (const char* family : kFamilies) {
    const ForwardChain chain = read_chain(family);
    if (!chain.drops || !chain.ours.empty()) continue;
    const std::string rule = "add rule " + chain_of(family);
    const std::string accept = std::string(" \"st*\" counter accept comment \"") + kTag + "\"\n";
    nft_commit(rule + " iifname" + accept + rule + " oifname" + accept);
  }
}

void dismiss_stacks_from_foreign_firewall(const std::string& networks_dir,
                                          const std::string& project) {
  for (const std::string& name : os::list_directory(networks_dir)) {
    if (name != project && std::filesystem::is_directory(networks_dir + "/" + name)) return;
  }
  for (const char* family : kFamilies) {
    std::string commands;
    for (const std::uint64_t handle : read_chain(family).ours) {
      commands += "delete rule " + chain_of(family) + " handle " + std::to_string(handle) + "\n";
    }
    if (!commands.empty()) nft_commit(commands);
  }
}

}  // namespace network
