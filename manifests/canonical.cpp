#include "manifests/canonical.hpp"

#include <array>
#include <iterator>

#include "manifests/port_spec.hpp"
#include "manifests/scalar.hpp"
#include "manifests/schema_advice.hpp"
#include "manifests/values.hpp"
#include "manifests/volume_spec.hpp"

namespace manifests {

namespace {

/// What a rewrite needs beside the node: where to complain, and how strictly.
struct Context {
  Diagnostics& diagnostics;
  bool lenient;

  void refuse(const Node& node, const std::string& path, const std::string& why,
              Advice advice = {}) const {
    if (lenient) return;
    Diagnostic& diagnostic = diagnostics.error(node.at, path + ": " + why);
    diagnostic.path = path;
    diagnostic.hint = std::move(advice.hint);
    diagnostic.suggestion = std::move(advice.suggestion);
  }
};

using Rewrite = void (*)(Node& node, const std::string& path, const Context& context);

Node text_node(std::string text, const Node& like) {
  return Node::make_string(std::move(text), like.at);
}

/// A mapping in place of a scalar keeps its place and tag.
Node mapping_like(const Node& like) {
  Node mapping = Node::make_mapping(like.at);
  mapping.tag = like.tag;
  return mapping;
}

void set_text(Node& mapping, std::string key, std::string text) {
  mapping.set(std::move(key), text_node(std::move(text), mapping));
}

bool is_text(const Node& node) { return node.is_scalar(); }

template <class Visit>
void each_item(Node& node, const std::string& path, Visit visit) {
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    visit(node.items[i], path + "[" + std::to_string(i) + "]");
  }
}

template <class Visit>
void each_entry(Node& node, const std::string& path, Visit visit) {
  if (!node.is_mapping()) return;
  for (Entry& entry : node.entries) visit(entry.value, path + "." + entry.key);
}

// ---------------------------------------------------------------- generic forms

void string_to_list(Node& node, const std::string& /*path*/, const Context& /*context*/) {
  if (!is_text(node)) return;
  Node list = Node::make_sequence(node.at);
  list.tag = node.tag;
  list.items.push_back(std::move(node));
  list.items.front().tag = MergeTag::none;
  node = std::move(list);
}

void list_to_map(Node& node, const std::string& /*path*/, const Context& /*context*/) {
  if (!node.is_sequence()) return;
  Node mapping = mapping_like(node);
  MappingBuilder builder(mapping);
  for (const Node& item : node.items) {
    Node nothing;
    nothing.at = item.at;
    builder.set(item.text, std::move(nothing));
  }
  node = std::move(mapping);
}

void scalar_to_text(Node& node, const std::string& /*path*/, const Context& /*context*/) {
  if (is_text(node)) node = text_node(scalar_text(node), node);
}

void key_values_to_map(Node& node, const std::string& path, const Context& context) {
  if (!node.is_sequence()) return;
  Node mapping = mapping_like(node);
  MappingBuilder builder(mapping);
  for (const Node& item : node.items) {
    const auto equals = item.text.find('=');
    if (equals == std::string::npos) {
      context.refuse(item, path, "invalid value " + item.text + ", expected key=value");
      if (context.lenient) return;
      continue;
    }
    builder.set(item.text.substr(0, equals), text_node(item.text.substr(equals + 1), item));
  }
  node = std::move(mapping);
}

// ---------------------------------------------------------------- build

void build(Node& node, const std::string& /*path*/, const Context& /*context*/) {
  if (!is_text(node)) return;
  Node mapping = mapping_like(node);
  set_text(mapping, "context", node.text);
  node = std::move(mapping);
}

void ssh(Node& node, const std::string& path, const Context& context) {
  if (!node.is_sequence()) return;
  Node mapping = mapping_like(node);
  for (const Node& item : node.items) {
    const auto equals = item.text.find('=');
    if (equals != std::string::npos) {
      mapping.set(item.text.substr(0, equals), text_node(item.text.substr(equals + 1), item));
    } else if (item.text == "default") {
      Node agent;
      agent.at = item.at;
      mapping.set(item.text, std::move(agent));
    } else {
      context.refuse(item, path, "invalid ssh key \"" + item.text + "\"");
    }
  }
  node = std::move(mapping);
}

// ---------------------------------------------------------------- services

void complete_dependency(Node& dependency) {
  if (!dependency.is_mapping()) return;
  if (dependency.find("condition") == nullptr) {
    set_text(dependency, "condition", "service_started");
  }
  if (dependency.find("required") == nullptr) {
    dependency.set("required", Node::make_boolean(true, dependency.at));
  }
}

void depends_on(Node& node, const std::string& /*path*/, const Context& /*context*/) {
  if (node.is_sequence()) {
    Node mapping = mapping_like(node);
    MappingBuilder builder(mapping);
    for (const Node& item : node.items) builder.set(item.text, Node::make_mapping(item.at));
    node = std::move(mapping);
  }
  if (!node.is_mapping()) return;
  for (Entry& entry : node.entries) complete_dependency(entry.value);
}

void env_file(Node& node, const std::string& path, const Context& context) {
  string_to_list(node, path, context);
  for (Node& item : node.items) {
    if (is_text(item)) {
      Node mapping = mapping_like(item);
      set_text(mapping, "path", item.text);
      item = std::move(mapping);
    }
    if (item.is_mapping() && item.find("required") == nullptr) {
      item.set("required", Node::make_boolean(true, item.at));
    }
  }
}

void extends(Node& node, const std::string& /*path*/, const Context& /*context*/) {
  if (!is_text(node)) return;
  Node mapping = mapping_like(node);
  set_text(mapping, "service", node.text);
  node = std::move(mapping);
}

void gpus(Node& node, const std::string& /*path*/, const Context& /*context*/) {
  if (!is_text(node)) return;
  Node request = Node::make_mapping(node.at);
  set_text(request, "count", node.text);
  Node list = Node::make_sequence(node.at);
  list.tag = node.tag;
  list.items.push_back(std::move(request));
  node = std::move(list);
}

void healthcheck_test(Node& node, const std::string& /*path*/, const Context& /*context*/) {
  if (!is_text(node)) return;
  Node list = Node::make_sequence(node.at);
  list.tag = node.tag;
  list.items = {text_node("CMD-SHELL", node), text_node(node.text, node)};
  node = std::move(list);
}

void file_mounts(Node& node, const std::string& /*path*/, const Context& /*context*/) {
  for (Node& item : node.items) {
    if (!is_text(item)) continue;
    Node mapping = mapping_like(item);
    set_text(mapping, "source", item.text);
    item = std::move(mapping);
  }
}

Node device_node(const Node& item, const std::vector<std::string>& parts) {
  Node mapping = mapping_like(item);
  const bool has_target = parts.size() > 1 && !parts[1].empty();
  set_text(mapping, "source", parts[0]);
  set_text(mapping, "target", has_target ? parts[1] : parts[0]);
  set_text(mapping, "permissions", parts.size() > 2 ? parts[2] : "rwm");
  return mapping;
}

void devices(Node& node, const std::string& path, const Context& context) {
  each_item(node, path, [&](Node& item, const std::string& item_path) {
    if (!is_text(item)) return;
    std::vector<std::string> parts(1);
    for (const char c : item.text) {
      if (c == ':') {
        parts.emplace_back();
      } else {
        parts.back() += c;
      }
    }
    if (parts.size() <= 3) {
      item = device_node(item, parts);
    } else {
      context.refuse(item, item_path,
                     "confusing device mapping, please use long syntax: " + item.text);
    }
  });
}

Node port_node(const Port& port, const Node& item) {
  static constexpr std::array<std::string_view, 3> kProtocols = {"tcp", "udp", "sctp"};
  Node mapping = mapping_like(item);
  set_text(mapping, "mode", port.mode);
  if (!port.host_ip.empty()) set_text(mapping, "host_ip", port.host_ip);
  mapping.set("target", Node::make_integer(port.target, item.at));
  if (!port.published.empty()) set_text(mapping, "published", port.published);
  set_text(mapping, "protocol",
           std::string(kProtocols.at(static_cast<std::size_t>(port.protocol))));
  return mapping;
}

void ports(Node& node, const std::string& path, const Context& context) {
  if (!node.is_sequence()) return;
  std::vector<Node> expanded;
  each_item(node, path, [&](Node& item, const std::string& item_path) {
    if (!is_text(item)) {
      expanded.push_back(std::move(item));
      return;
    }
    const auto parsed = parse_port_spec(scalar_text(item));
    if (const auto* failure = std::get_if<Unreadable>(&parsed)) {
      context.refuse(item, item_path, failure->reason, advice_on_port(scalar_text(item)));
      expanded.push_back(std::move(item));
      return;
    }
    for (const Port& port : std::get<std::vector<Port>>(parsed)) {
      expanded.push_back(port_node(port, item));
    }
  });
  node.items = std::move(expanded);
}

Node mount_node(const Mount& mount, const Node& item) {
  Node mapping = mapping_like(item);
  set_text(mapping, "type", mount.type == MountType::bind ? "bind" : "volume");
  if (!mount.source.empty()) set_text(mapping, "source", mount.source);
  set_text(mapping, "target", mount.target);
  if (mount.read_only) mapping.set("read_only", Node::make_boolean(true, item.at));
  if (mount.bind) {
    Node bind = Node::make_mapping(item.at);
    if (!mount.bind->selinux.empty()) set_text(bind, "selinux", mount.bind->selinux);
    if (!mount.bind->propagation.empty()) set_text(bind, "propagation", mount.bind->propagation);
    if (mount.bind->create_host_path) {
      bind.set("create_host_path", Node::make_boolean(true, item.at));
    }
    mapping.set("bind", std::move(bind));
  }
  if (mount.volume) {
    Node volume = Node::make_mapping(item.at);
    if (mount.volume->nocopy) volume.set("nocopy", Node::make_boolean(true, item.at));
    mapping.set("volume", std::move(volume));
  }
  return mapping;
}

void volumes(Node& node, const std::string& path, const Context& context) {
  each_item(node, path, [&](Node& item, const std::string& item_path) {
    if (!is_text(item)) return;
    const auto parsed = parse_volume_spec(item.text);
    if (const auto* failure = std::get_if<Unreadable>(&parsed)) {
      context.refuse(item, item_path, failure->reason);
    } else {
      item = mount_node(std::get<Mount>(parsed), item);
    }
  });
}

void watch(Node& node, const std::string& path, const Context& context) {
  for (Node& rule : node.items) {
    for (const auto* key : {"ignore", "include"}) {
      if (Node* patterns = rule.find(key)) string_to_list(*patterns, path, context);
    }
  }
}

// ---------------------------------------------------------------- resources

/// The deprecated `external: {name: x}` becomes `external: true` and `name: x`.
void external(Node& resource, const std::string& path, const Context& context) {
  const Node* mark = resource.find("external");
  if (mark == nullptr || !mark->is_mapping()) return;
  const Node* old_name = mark->find("name");
  const Node* name = resource.find("name");
  if (old_name != nullptr) {
    context.diagnostics.warning(mark->at, path +
                                              ": external.name is deprecated. Please set name "
                                              "and external: true");
    if (name != nullptr && name->text != old_name->text) {
      context.refuse(*mark, path, "name and external.name conflict; only use name");
    }
  }
  Node adopted = old_name != nullptr && name == nullptr ? *old_name : Node();
  resource.set("external", Node::make_boolean(true, mark->at));
  if (adopted.is_scalar()) resource.set("name", std::move(adopted));
}

struct Place {
  std::string_view key;  ///< dotted below a service
  Rewrite rewrite;
};

constexpr std::array kServicePlaces = {
    Place{"build", build},
    Place{"build.secrets", file_mounts},
    Place{"build.provenance", scalar_to_text},
    Place{"build.sbom", scalar_to_text},
    Place{"build.additional_contexts", key_values_to_map},
    Place{"build.no_cache_filter", string_to_list},
    Place{"build.ssh", ssh},
    Place{"depends_on", depends_on},
    Place{"env_file", env_file},
    Place{"label_file", string_to_list},
    Place{"extends", extends},
    Place{"gpus", gpus},
    Place{"healthcheck.test", healthcheck_test},
    Place{"networks", list_to_map},
    Place{"models", list_to_map},
    Place{"volumes", volumes},
    Place{"dns", string_to_list},
    Place{"dns_search", string_to_list},
    Place{"tmpfs", string_to_list},
    Place{"devices", devices},
    Place{"secrets", file_mounts},
    Place{"configs", file_mounts},
    Place{"ports", ports},
    Place{"develop.watch", watch},
};

Node* find_below(Node& node, std::string_view dotted) {
  Node* found = &node;
  while (found != nullptr && !dotted.empty()) {
    const auto dot = dotted.find('.');
    found = found->find(dotted.substr(0, dot));
    dotted = dot == std::string_view::npos ? "" : dotted.substr(dot + 1);
  }
  return found;
}

// ---------------------------------------------------------------- defaults

void default_text(Node& mapping, std::string_view key, std::string text) {
  if (mapping.is_mapping() && mapping.find(key) == nullptr) {
    set_text(mapping, std::string(key), std::move(text));
  }
}

void default_device_requests(Node* requests) {
  if (requests == nullptr) return;
  for (Node& request : requests->items) {
    if (request.find("device_ids") == nullptr) default_text(request, "count", "all");
  }
}

void set_service_defaults(Node& service) {
  if (Node* section = service.find("build")) default_text(*section, "context", ".");
  if (Node* secrets = service.find("secrets")) {
    for (Node& secret : secrets->items) {
      const Node* source = secret.find("source");
      default_text(secret, "target", "/run/secrets/" + (source ? source->text : std::string()));
    }
  }
  if (Node* list = service.find("ports")) {
    for (Node& port : list->items) {
      default_text(port, "protocol", "tcp");
      default_text(port, "mode", "ingress");
    }
  }
  default_device_requests(service.find("gpus"));
  default_device_requests(find_below(service, "deploy.resources.reservations.devices"));
}

}  // namespace

Node canonical(Node model, Diagnostics& diagnostics, bool lenient) {
  const Context context{diagnostics, lenient};
  if (Node* services = model.find("services")) {
    each_entry(*services, "services", [&](Node& service, const std::string& path) {
      for (const Place& place : kServicePlaces) {
        Node* node = find_below(service, place.key);
        if (node != nullptr) place.rewrite(*node, path + "." + std::string(place.key), context);
      }
    });
  }
  for (const auto* kind : {"networks", "volumes", "secrets", "configs"}) {
    Node* resources = model.find(kind);
    if (resources == nullptr) continue;
    each_entry(*resources, kind,
               [&](Node& resource, const std::string& path) { external(resource, path, context); });
  }
  return model;
}

void set_defaults(Node& model) {
  Node* services = model.find("services");
  if (services == nullptr || !services->is_mapping()) return;
  for (Entry& service : services->entries) set_service_defaults(service.value);
}

}  // namespace manifests
