#include "manifests/decode.hpp"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>

#include "manifests/canonical.hpp"
#include "manifests/fields.hpp"
#include "manifests/scalar.hpp"
#include "manifests/schema.hpp"
#include "manifests/values.hpp"
#include "manifests/words.hpp"

namespace manifests {

namespace {

template <class T>
concept Enumeration = std::is_enum_v<T>;

template <class T>
concept SignedOrUnsigned = std::integral<T> && !std::same_as<T, bool>;

Json json_of(const Node& node) {
  switch (node.kind) {
    case Kind::null:
      return nullptr;
    case Kind::sequence: {
      Json list = Json::array();
      for (const Node& item : node.items) list.push_back(json_of(item));
      return list;
    }
    case Kind::mapping: {
      Json object = Json::object();
      // The keys of a mapping are distinct; setting one would search all that are there.
      auto& members = object.get_ref<Json::object_t&>();
      for (const Entry& entry : node.entries) members.push_back({entry.key, json_of(entry.value)});
      return object;
    }
    case Kind::scalar:
      break;
  }
  if (node.type == ScalarType::null) return nullptr;
  if (node.type == ScalarType::boolean) return scalar_text(node) == "true";
  if (node.type == ScalarType::integer) {
    if (const auto value = integer_value(node.text)) return *value;
  }
  if (node.type == ScalarType::integer || node.type == ScalarType::floating) {
    if (const auto value = number_value(node.text)) return *value;
  }
  return node.text;
}

/// Reads nodes into members; the visitor of describe().
class Decoder {
 public:
  Decoder(Diagnostics& diagnostics, Positions& positions)
      : diagnostics_(diagnostics), positions_(positions) {}

  /// Reads `node` into `out` under the path `path`.
  template <class T>
  void at(const Node& node, const std::string& path, T& out) {
    at(node, node.at, path, out);
  }

  // What describe() calls.
  template <class T>
  void field(std::string_view key, T& member) {
    const auto entry = std::find_if(mapping_->entries.begin(), mapping_->entries.end(),
                                    [&](const Entry& each) { return each.key == key; });
    if (entry != mapping_->entries.end())
      at(entry->value, place_of(*entry), path_ + "." + std::string(key), member);
  }
  template <class T>
  void always(std::string_view key, T& member) {
    field(key, member);
  }
  void hosts(std::string_view key, std::map<std::string, Strings>& member);
  void extensions(Extensions& member) {
    for (const Entry& entry : mapping_->entries) {
      if (entry.key.starts_with("x-")) member[entry.key] = json_of(entry.value);
    }
  }

 private:
  template <class T>
  void at(const Node& node, const Position& place, const std::string& path, T& out) {
    const std::string outer = std::exchange(path_, path);
    if (place) positions_.emplace(path_, place);
    read(node, out);
    path_ = outer;
  }

  /// A collection begins at its key: what is in it has places of its own.
  static const Position& place_of(const Entry& entry) {
    return entry.value.is_scalar() || !entry.key_at ? entry.value.at : entry.key_at;
  }

  void refuse(const Node& node, const std::string& why) {
    diagnostics_.error(node.at, path_ + ": " + why).path = path_;
  }

  template <class T>
  T value(const Node& node, const Parsed<T>& parsed) {
    if (const auto* failure = std::get_if<Unreadable>(&parsed)) {
      refuse(node, failure->reason);
      return T{};
    }
    return std::get<T>(parsed);
  }

  static bool is_written_number(const Node& node) {
    return node.type == ScalarType::integer || node.type == ScalarType::floating;
  }

  std::int64_t integer(const Node& node) {
    if (!is_written_number(node)) return value(node, parse_integer(node.text));
    if (const auto exact = integer_value(node.text)) return *exact;
    const double number = number_value(node.text).value_or(0);
    // 2^63 itself is no 64-bit integer, and every double below it is.
    if (std::isfinite(number) && std::abs(number) < 0x1p63)
      return static_cast<std::int64_t>(number);
    refuse(node, "integer out of range: " + node.text);
    return 0;
  }

  void read(const Node& node, std::string& out) {
    if (node.is_scalar()) {
      out = scalar_text(node);
    } else if (!node.is_null()) {
      refuse(node, "must be a string");
    }
  }

  void read(const Node& node, bool& out) {
    if (!node.is_scalar()) return;
    const Truth truth = value(node, parse_boolean(node.text));
    out = truth.value;
    if (!truth.yaml11) return;
    diagnostics_.warning(node.at, "\"" + node.text +
                                      "\" for boolean is not supported by YAML 1.2, please use `" +
                                      (truth.value ? "true" : "false") + "`");
  }

  template <SignedOrUnsigned T>
  void read(const Node& node, T& out) {
    if (!node.is_scalar()) return;
    const std::int64_t number = integer(node);
    if (!std::in_range<T>(number)) return refuse(node, "number out of range: " + node.text);
    out = static_cast<T>(number);
  }

  void read(const Node& node, double& out) {
    if (!node.is_scalar()) return;
    out = is_written_number(node) ? number_value(node.text).value_or(0)
                                  : value(node, parse_number(node.text));
    if (!std::isfinite(out)) {
      refuse(node, "not a finite number: " + node.text);
      out = 0;
    }
  }

  void read(const Node& node, Bytes& out) {
    if (!node.is_scalar()) return;
    out = is_written_number(node) ? Bytes{integer(node)} : value(node, parse_bytes(node.text));
  }

  void read(const Node& node, Duration& out) {
    if (node.is_scalar()) out = value(node, parse_duration(node.text));
  }

  void read(const Node& node, FileMode& out) {
    if (!node.is_scalar()) return;
    if (!is_written_number(node)) {
      out = value(node, parse_file_mode(node.text));
      return;
    }
    const std::int64_t bits = integer(node);
    if (!std::in_range<std::uint32_t>(bits)) return refuse(node, "invalid file mode");
    out.bits = static_cast<std::uint32_t>(bits);
  }

  template <Enumeration T>
  void read(const Node& node, T& out) {
    const auto found = value_of<T>(node.text);
    if (!found) return refuse(node, "unknown value '" + node.text + "'");
    out = *found;
  }

  void read(const Node& node, Command& out) {
    if (node.is_null()) return;
    if (node.is_scalar()) {
      out = value(node, split_command(scalar_text(node)));
      return;
    }
    out.emplace();
    for (const Node& item : node.items) out->push_back(scalar_text(item));
  }

  template <class T>
  void read(const Node& node, std::optional<T>& out) {
    if (node.is_null()) return;
    out = T{};
    read(node, *out);
  }

  template <class T>
  void read(const Node& node, std::vector<T>& out) {
    if (node.is_scalar()) {  // one item where a list is meant
      out.emplace_back();
      read(node, out.back());
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      out.emplace_back();
      at(node.items[i], path_ + "[" + std::to_string(i) + "]", out.back());
    }
  }

  void read(const Node& node, std::vector<SshKey>& out) {
    for (const Entry& entry : node.entries) {
      out.push_back({entry.key, entry.value.is_null() ? "" : scalar_text(entry.value)});
    }
    std::sort(out.begin(), out.end(), [](const SshKey& a, const SshKey& b) { return a.id < b.id; });
  }

  template <class T>
  void read(const Node& node, std::map<std::string, T>& out) {
    for (const Entry& entry : node.entries) {
      const std::string path = path_.empty() ? entry.key : path_ + "." + entry.key;
      at(entry.value, place_of(entry), path, out[entry.key]);
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      assign(node.items[i], path_ + "[" + std::to_string(i) + "]", out);
    }
  }

  /// `KEY=VALUE` or `KEY`, an item of a dictionary in list form.
  template <class T>
  void assign(const Node& item, const std::string& path, std::map<std::string, T>& out) {
    if constexpr (std::same_as<T, std::string> || std::same_as<T, std::optional<std::string>>) {
      const std::string text = scalar_text(item);
      const auto equals = text.find('=');
      const std::string key = text.substr(0, equals);
      if (item.at) positions_.emplace(path_ + "." + key, item.at);
      if (std::same_as<T, std::optional<std::string>> && !key.empty() &&
          std::isspace(static_cast<unsigned char>(key.back())) != 0) {
        diagnostics_
            .error(item.at, "environment variable " + key + " is declared with a trailing space")
            .path = path;
      }
      out[key] = equals == std::string::npos ? T{} : T{text.substr(equals + 1)};
    } else {
      diagnostics_.error(item.at, path_ + " must be a mapping").path = path;
    }
  }

  void read(const Node& node, Ulimit& out) {
    if (node.is_scalar()) {
      out.single = integer(node);
    } else {
      read_fields(node, out);
    }
  }

  template <class T>
  requires std::is_class_v<T>
  void read(const Node& node, T& out) {
    if constexpr (requires { out.written; }) out.written = node.is_mapping();
    read_fields(node, out);
  }

  template <class T>
  void read_fields(const Node& node, T& out) {
    const Node* outer = std::exchange(mapping_, &node);
    describe(out, *this);
    mapping_ = outer;
  }

  void add_host(const Node& node, const std::string& host, std::string_view addresses,
                std::map<std::string, Strings>& out);

  Diagnostics& diagnostics_;
  Positions& positions_;
  std::string path_;
  const Node* mapping_ = nullptr;
};

void Decoder::add_host(const Node& node, const std::string& host, std::string_view addresses,
                       std::map<std::string, Strings>& out) {
  if (host.empty() || host.find_first_of(":=") != std::string::npos) {
    refuse(node, "bad host name '" + host + "'");
    return;
  }
  for (std::size_t from = 0; from <= addresses.size();) {
    const auto comma = std::min(addresses.find(',', from), addresses.size());
    std::string_view address = addresses.substr(from, comma - from);
    if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
      address = address.substr(1, address.size() - 2);
    }
    out[host].emplace_back(address);
    from = comma + 1;
  }
}

void Decoder::hosts(std::string_view key, std::map<std::string, Strings>& member) {
  const Node* node = mapping_->find(key);
  if (node == nullptr) return;
  const std::string outer = std::exchange(path_, path_ + "." + std::string(key));
  if (node->at) positions_.emplace(path_, node->at);
  for (const Node& item : node->items) {
    const auto equals = item.text.find('=');
    const auto separator = equals != std::string::npos ? equals : item.text.find(':');
    if (separator == std::string::npos) {
      refuse(item, "invalid additional host, missing IP: " + item.text);
      continue;
    }
    add_host(item, item.text.substr(0, separator),
             std::string_view(item.text).substr(separator + 1), member);
  }
  for (const Entry& entry : node->entries) {
    if (!entry.value.is_sequence()) add_host(entry.value, entry.key, entry.value.text, member);
    for (const Node& item : entry.value.items) add_host(item, entry.key, item.text, member);
  }
  path_ = outer;
}

/// `count: all` of a device request is -1 in the model.
void number_device_counts(Node& requests) {
  for (Node& request : requests.items) {
    Node* count = request.find("count");
    if (count == nullptr || !count->is_scalar() || count->type != ScalarType::string) continue;
    std::string word = count->text;
    std::transform(word.begin(), word.end(), word.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (word == "all") *count = Node::make_integer(-1, count->at);
  }
}

/// Real-time periods may be durations; the model holds microseconds.
void microseconds(Node& service, std::string_view key) {
  Node* node = service.find(key);
  if (node == nullptr || !node->is_scalar() || node->type != ScalarType::string) return;
  const auto parsed = parse_duration(node->text);
  if (const auto* duration = std::get_if<Duration>(&parsed)) {
    *node = Node::make_integer(duration->count() / 1000, node->at);
  }
}

/// Rewrites the few values whose text means another type than their member has.
void prepare(Node& service) {
  microseconds(service, "cpu_rt_period");
  microseconds(service, "cpu_rt_runtime");
  if (Node* gpus = service.find("gpus")) number_device_counts(*gpus);
  Node* deploy = service.find("deploy");
  Node* resources = deploy != nullptr ? deploy->find("resources") : nullptr;
  Node* reserved = resources != nullptr ? resources->find("reservations") : nullptr;
  if (Node* devices = reserved != nullptr ? reserved->find("devices") : nullptr) {
    number_device_counts(*devices);
  }
}

}  // namespace

Stack decode(Node model, Diagnostics& diagnostics) {
  Stack stack;
  Decoder decoder(diagnostics, stack.positions);
  const auto section = [&](const char* key, auto& out) {
    if (const Node* node = model.find(key)) decoder.at(*node, key, out);
  };
  section("name", stack.name);
  if (Node* services = model.find("services")) {
    for (Entry& service : services->entries) prepare(service.value);
    decoder.at(*services, "services", stack.services);
  }
  for (auto& [name, service] : stack.services) service.name = name;
  section("networks", stack.networks);
  section("volumes", stack.volumes);
  section("secrets", stack.secrets);
  section("configs", stack.configs);
  section("models", stack.models);
  for (const Entry& entry : model.entries) {
    if (entry.key.starts_with("x-")) stack.extensions[entry.key] = json_of(entry.value);
  }
  return stack;
}

/// As YAML writes it; JSON has no word for what is not finite.
std::string number_text(const Json& value) {
  const double number = value.is_number_float() ? value.get<double>() : 0;
  if (std::isnan(number)) return ".nan";
  if (std::isinf(number)) return number < 0 ? "-.inf" : ".inf";
  return value.dump();
}

Node node_from_json(const Json& value) {
  Node node;
  if (value.is_object()) {
    node = Node::make_mapping();
    for (const auto& [key, item] : value.items()) {
      node.entries.push_back({key, {}, node_from_json(item)});
    }
  } else if (value.is_array()) {
    node = Node::make_sequence();
    for (const auto& item : value) node.items.push_back(node_from_json(item));
  } else if (value.is_string()) {
    node = Node::make_string(value.get<std::string>());
  } else if (value.is_boolean()) {
    node = Node::make_boolean(value.get<bool>());
  } else if (value.is_number()) {
    node = Node::make_string(number_text(value));
    node.type = value.is_number_float() ? ScalarType::floating : ScalarType::integer;
    node.quoted = false;
  }
  return node;
}

Stack from_json(const Json& value) {
  Diagnostics diagnostics;
  Stack stack = decode(canonical(node_from_json(value), diagnostics), diagnostics);
  diagnostics.throw_if_errors();
  if (const auto directory = value.find("working_directory"); directory != value.end()) {
    stack.working_directory = directory->get<std::string>();
  }
  if (const auto files = value.find("config_files"); files != value.end()) {
    stack.config_files = files->get<Strings>();
  }
  stack.positions.clear();
  return stack;
}

}  // namespace manifests
