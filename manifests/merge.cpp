#include "manifests/merge.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "manifests/scalar.hpp"

namespace manifests {

namespace {

class Merger {
 public:
  Merger(TreePath at, Diagnostics& diagnostics) : path_(std::move(at)), diagnostics_(diagnostics) {}

  Node merge(Node base, Node over);

 private:
  using Rule = Node (Merger::*)(Node, Node);
  struct Row {
    std::string_view pattern;
    Rule rule;
  };
  static const std::vector<Row>& table();

  Node mappings(Node base, Node over);
  Node replace(Node base, Node over);
  Node sequences(Node base, Node over);
  Node distinct(Node base, Node over);
  Node build(Node base, Node over);
  Node dependencies(Node base, Node over);
  Node named(Node base, Node over);
  Node logging(Node base, Node over);
  Node address_pools(Node base, Node over);

  Node as_sequence(Node value);
  Node as_mapping(Node value, const Node& implied);
  Node cannot_override(Node base, const Node& over);

  TreePath path_;
  Diagnostics& diagnostics_;
};

const std::vector<Merger::Row>& Merger::table() {
  static const std::vector<Row> kTable = {
      {"networks.*.ipam.config", &Merger::address_pools},
      {"networks.*.labels", &Merger::sequences},
      {"volumes.*.labels", &Merger::sequences},
      {"services.*.annotations", &Merger::sequences},
      {"services.*.build", &Merger::build},
      {"services.*.build.additional_contexts", &Merger::sequences},
      {"services.*.build.args", &Merger::sequences},
      {"services.*.build.extra_hosts", &Merger::distinct},
      {"services.*.build.labels", &Merger::sequences},
      {"services.*.command", &Merger::replace},
      {"services.*.depends_on", &Merger::dependencies},
      {"services.*.deploy.labels", &Merger::sequences},
      {"services.*.device_cgroup_rules", &Merger::distinct},
      {"services.*.dns", &Merger::sequences},
      {"services.*.dns_opt", &Merger::sequences},
      {"services.*.dns_search", &Merger::sequences},
      {"services.*.entrypoint", &Merger::replace},
      {"services.*.env_file", &Merger::sequences},
      {"services.*.environment", &Merger::sequences},
      {"services.*.external_links", &Merger::distinct},
      {"services.*.extra_hosts", &Merger::distinct},
      {"services.*.group_add", &Merger::distinct},
      {"services.*.healthcheck.test", &Merger::replace},
      {"services.*.label_file", &Merger::sequences},
      {"services.*.labels", &Merger::sequences},
      {"services.*.logging", &Merger::logging},
      {"services.*.models", &Merger::named},
      {"services.*.networks", &Merger::named},
      {"services.*.security_opt", &Merger::distinct},
      {"services.*.sysctls", &Merger::sequences},
      {"services.*.tmpfs", &Merger::sequences},
      {"services.*.ulimits.*", &Merger::replace},
      {"services.*.volumes_from", &Merger::distinct},
  };
  return kTable;
}

Node Merger::merge(Node base, Node over) {
  for (const Row& row : table())
    if (matches(path_, row.pattern)) return (this->*row.rule)(std::move(base), std::move(over));
  if (over.is_null()) return base;
  if (base.is_mapping()) {
    if (!over.is_mapping()) return cannot_override(std::move(base), over);
    return mappings(std::move(base), std::move(over));
  }
  if (base.is_sequence()) {
    if (!over.is_sequence()) return cannot_override(std::move(base), over);
    for (Node& item : over.items) base.items.push_back(std::move(item));
    return base;
  }
  return over;
}

Node Merger::cannot_override(Node base, const Node& over) {
  Diagnostic& diagnostic = diagnostics_.error(over.at, "cannot override " + dotted(path_));
  diagnostic.path = dotted(path_);
  diagnostic.hint = base.is_mapping() ? "write a mapping, as the value that this overrides is one"
                                      : "write a list, as the value that this overrides is one";
  diagnostic.related = base.at;
  diagnostic.related_message = "the value that this overrides";
  return base;
}

/// Both values exist and each is a mapping or null.
Node Merger::mappings(Node base, Node over) {
  if (!base.is_mapping()) return over.is_null() ? base : over;
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < base.entries.size(); ++i) places.emplace(base.entries[i].key, i);
  for (Entry& entry : over.entries) {
    const auto place = places.find(entry.key);
    if (place == places.end()) {
      base.entries.push_back(std::move(entry));
      continue;
    }
    const Descent descent(path_, entry.key);
    Node& existing = base.entries[place->second].value;
    existing = merge(std::move(existing), std::move(entry.value));
  }
  return base;
}

Node Merger::replace(Node, Node over) { return over; }

Node Merger::sequences(Node base, Node over) {
  Node merged = as_sequence(std::move(base));
  Node added = as_sequence(std::move(over));
  for (Node& item : added.items) merged.items.push_back(std::move(item));
  return merged;
}

/// Appends what is not there yet, so that merging alone makes no duplicates.
Node Merger::distinct(Node base, Node over) {
  Node merged = as_sequence(std::move(base));
  Node added = as_sequence(std::move(over));
  std::set<std::pair<Kind, std::string>> known;
  for (const Node& item : merged.items) known.emplace(item.kind, item.text);
  for (Node& item : added.items)
    if (!known.contains({item.kind, item.text})) merged.items.push_back(std::move(item));
  return merged;
}

Node Merger::build(Node base, Node over) {
  const auto long_form = [](Node value) {
    if (!value.is_scalar()) return value;
    Node mapping = Node::make_mapping(value.at);
    mapping.set("context", std::move(value));
    return mapping;
  };
  return mappings(long_form(std::move(base)), long_form(std::move(over)));
}

Node Merger::dependencies(Node base, Node over) {
  Node implied = Node::make_mapping();
  implied.set("condition", Node::make_string("service_started"));
  implied.set("required", Node::make_boolean(true));
  return mappings(as_mapping(std::move(base), implied), as_mapping(std::move(over), implied));
}

Node Merger::named(Node base, Node over) {
  return mappings(as_mapping(std::move(base), {}), as_mapping(std::move(over), {}));
}

/// Options belong to a driver: with another driver they are replaced.
Node Merger::logging(Node base, Node over) {
  if (over.is_null()) return base;
  const Node* old_driver = base.find("driver");
  const Node* new_driver = over.find("driver");
  if (old_driver && new_driver && old_driver->text != new_driver->text) return over;
  if (base.is_mapping() && !over.is_mapping()) return cannot_override(std::move(base), over);
  return mappings(std::move(base), std::move(over));
}

/// IPAM pools are one and the same when their subnet is.
Node Merger::address_pools(Node base, Node over) {
  if (!base.is_sequence()) return over;
  if (over.is_null()) return base;
  if (!over.is_sequence()) return cannot_override(std::move(base), over);
  const auto subnet = [](const Node& pool) {
    const Node* value = pool.find("subnet");
    return value ? value->text : std::string();
  };
  for (Node& pool : over.items) {
    const auto same = std::find_if(base.items.begin(), base.items.end(), [&](const Node& other) {
      return subnet(other) == subnet(pool);
    });
    if (same == base.items.end()) {
      base.items.push_back(std::move(pool));
      continue;
    }
    const auto index = static_cast<std::size_t>(same - base.items.begin());
    const Descent descent(path_, index_segment(index));
    *same = mappings(std::move(*same), std::move(pool));
  }
  return base;
}

/// `K: V` pairs become `K=V` items, sorted; a value that is a list becomes an item each.
Node Merger::as_sequence(Node value) {
  if (value.is_sequence()) return value;
  Node sequence = Node::make_sequence(value.at);
  if (value.is_scalar()) {
    sequence.items.push_back(std::move(value));
    return sequence;
  }
  for (Entry& entry : value.entries) {
    const Position at = entry.value.at ? entry.value.at : entry.key_at;
    const auto add = [&](const Node& item) {
      if (item.is_scalar()) {
        sequence.items.push_back(Node::make_string(entry.key + "=" + scalar_text(item), at));
        return;
      }
      const Descent descent(path_, entry.key);
      diagnostics_.error(at, dotted(path_) + " must be a string, number, boolean or null").path =
          dotted(path_);
    };
    if (entry.value.is_null())
      sequence.items.push_back(Node::make_string(entry.key, at));
    else if (entry.value.is_sequence())
      std::for_each(entry.value.items.begin(), entry.value.items.end(), add);
    else
      add(entry.value);
  }
  std::stable_sort(sequence.items.begin(), sequence.items.end(),
                   [](const Node& a, const Node& b) { return a.text < b.text; });
  return sequence;
}

/// A list of names becomes a mapping of each to `implied`.
Node Merger::as_mapping(Node value, const Node& implied) {
  if (!value.is_sequence()) return value;
  Node mapping = Node::make_mapping(value.at);
  MappingBuilder builder(mapping);
  for (Node& item : value.items) {
    if (!item.is_scalar()) {
      diagnostics_.error(item.at, dotted(path_) + " must be a list of names").path = dotted(path_);
      continue;
    }
    Node filled = implied;
    filled.at = item.at;
    for (Entry& entry : filled.entries) entry.key_at = entry.value.at = item.at;
    builder.set(item.text, std::move(filled));
  }
  return mapping;
}

// ---------------------------------------------------------------- unicity

std::string text_at(const Node& mapping, std::string_view key, std::string_view otherwise = {}) {
  const Node* value = mapping.find(key);
  return value && value->is_scalar() ? value->text : std::string(otherwise);
}

std::string by_key(const Node& item) { return item.text.substr(0, item.text.find('=')); }

std::string by_text(const Node& item) { return scalar_text(item); }

std::string by_target(const Node& item) {
  return item.is_mapping() ? text_at(item, "target") : item.text;
}

std::string by_path(const Node& item) {
  return item.is_mapping() ? text_at(item, "path") : item.text;
}

std::string mount_target(const Node& item, const std::string& directory) {
  if (!item.is_mapping()) return directory + "/" + item.text;
  const std::string target = text_at(item, "target");
  return target.empty() ? directory + "/" + text_at(item, "source") : target;
}

std::string by_config_target(const Node& item) { return mount_target(item, ""); }

std::string by_secret_target(const Node& item) { return mount_target(item, "/run/secrets"); }

std::string by_published_port(const Node& item) {
  if (!item.is_mapping()) return scalar_text(item);
  return text_at(item, "host_ip", "0.0.0.0") + ":" + text_at(item, "published", "-") + ":" +
         text_at(item, "target") + "/" + text_at(item, "protocol", "tcp");
}

struct Unique {
  std::string_view pattern;
  std::string (*key)(const Node& item);
};

constexpr Unique kUnique[] = {
    {"networks.*.labels", by_key},
    {"networks.*.ipam.options", by_key},
    {"services.*.annotations", by_key},
    {"services.*.build.additional_contexts", by_key},
    {"services.*.build.args", by_key},
    {"services.*.build.labels", by_key},
    {"services.*.build.tags", by_key},
    {"services.*.cap_add", by_key},
    {"services.*.cap_drop", by_key},
    {"services.*.configs", by_config_target},
    {"services.*.deploy.labels", by_key},
    {"services.*.devices", by_target},
    {"services.*.dns", by_key},
    {"services.*.dns_opt", by_key},
    {"services.*.dns_search", by_key},
    {"services.*.env_file", by_path},
    {"services.*.environment", by_key},
    {"services.*.expose", by_text},
    {"services.*.labels", by_key},
    {"services.*.links", by_key},
    {"services.*.networks.*.aliases", by_key},
    {"services.*.networks.*.link_local_ips", by_key},
    {"services.*.ports", by_published_port},
    {"services.*.profiles", by_key},
    {"services.*.secrets", by_secret_target},
    {"services.*.sysctls", by_key},
    {"services.*.tmpfs", by_key},
    {"services.*.volumes", by_target},
};

void unify_items(std::vector<Node>& items, std::string (*key)(const Node&)) {
  std::vector<Node> kept;
  std::map<std::string, std::size_t> places;
  for (Node& item : items) {
    const auto [place, added] = places.emplace(key(item), kept.size());
    if (added)
      kept.push_back(std::move(item));
    else
      kept[place->second] = std::move(item);
  }
  items = std::move(kept);
}

void unify_below(Node& node, TreePath& path) {
  if (node.is_sequence()) {
    for (const Unique& unique : kUnique)
      if (matches(path, unique.pattern)) unify_items(node.items, unique.key);
    return;
  }
  for (Entry& entry : node.entries) {
    const Descent descent(path, entry.key);
    unify_below(entry.value, path);
  }
}

// ---------------------------------------------------------------- !reset and !override

void take_tags_below(Node& node, TreePath& path, std::vector<TreePath>& found) {
  const auto is_reset = [](const Node& value) { return value.tag == MergeTag::reset; };
  for (Entry& entry : node.entries) {
    const Descent descent(path, entry.key);
    if (entry.value.tag != MergeTag::none) found.push_back(path);
    if (!is_reset(entry.value)) take_tags_below(entry.value, path, found);
  }
  std::erase_if(node.entries, [&](const Entry& entry) { return is_reset(entry.value); });
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Descent descent(path, index_segment(i));
    if (!is_reset(node.items[i])) take_tags_below(node.items[i], path, found);
  }
  std::erase_if(node.items, is_reset);
  node.tag = MergeTag::none;
}

}  // namespace

Node merge(Node base, Node overriding, TreePath at, Diagnostics& diagnostics) {
  return Merger(std::move(at), diagnostics).merge(std::move(base), std::move(overriding));
}

void unify(Node& model) {
  TreePath path;
  unify_below(model, path);
}

std::vector<TreePath> take_merge_tags(Node& document) {
  std::vector<TreePath> found;
  TreePath path;
  take_tags_below(document, path, found);
  return found;
}

void erase_paths(Node& model, const std::vector<TreePath>& paths) {
  for (const TreePath& path : paths) {
    Node* parent = &model;
    for (std::size_t i = 0; parent != nullptr && i + 1 < path.size(); ++i)
      parent = parent->find(path[i]);
    if (parent != nullptr && !path.empty()) parent->erase(path.back());
  }
}

}  // namespace manifests
