#include "manifests/print.hpp"

#include <algorithm>
#include <cmath>

#include "manifests/decode.hpp"
#include "manifests/fields.hpp"
#include "manifests/values.hpp"
#include "manifests/words.hpp"
#include "manifests/yaml_text.hpp"

namespace manifests {

namespace {

/// What a rendering leaves out or names differently.
struct Style {
  bool extensions = false;  ///< `x-*` below the top level
  bool contents = false;    ///< of secrets, and of configs that come from a variable
  bool exact = false;       ///< what the reference cannot tell apart is told apart
  bool yaml = false;        ///< nulls and empty mappings are left out, keys sorted naturally
};

constexpr Style kPublishedJson{};
constexpr Style kPublishedYaml{.extensions = true, .yaml = true};
constexpr Style kComplete{.extensions = true, .contents = true, .exact = true};
constexpr Style kFingerprint{.contents = true, .exact = true};

Json number(double value) {
  if (value == std::floor(value) && std::abs(value) < 0x1p63) {
    return static_cast<std::int64_t>(value);
  }
  return value;
}

/// Adds a key that `object` does not have: setting one searches all that are there.
void append(Json& object, std::string_view key, Json value) {
  object.get_ref<Json::object_t&>().push_back({std::string(key), std::move(value)});
}

/// A free value (an extension) as the reference prints it: keys sorted, whole floats as integers,
/// in JSON an empty list as null.
Json sorted(const Json& value, const Style& style) {
  if (value.is_number_float()) return number(value.get<double>());
  if (value.is_array() && value.empty() && !style.yaml && !style.exact) return nullptr;
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& item : value) list.push_back(sorted(item, style));
    return list;
  }
  if (!value.is_object()) return value;
  std::vector<const Json::object_t::value_type*> order;
  for (const auto& entry : value.get_ref<const Json::object_t&>()) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [&](const auto* a, const auto* b) {
    return style.yaml ? natural_less(a->first, b->first) : a->first < b->first;
  });
  Json object = Json::object();
  for (const auto* entry : order) append(object, entry->first, sorted(entry->second, style));
  return object;
}

/// Writes members as JSON; the visitor of describe().
class Writer {
 public:
  explicit Writer(const Style& style) : style_(style) {}

  // What describe() calls.
  template <class T>
  void field(std::string_view key, const T& member) {
    if (!is_empty(member)) append(*object_, key, write(member));
  }
  template <class T>
  void always(std::string_view key, const T& member) {
    Json value = write(member);
    const bool nothing = value.is_null() || (value.is_object() && value.empty());
    if (!(style_.yaml && nothing)) append(*object_, key, std::move(value));
  }
  void hosts(std::string_view key, const std::map<std::string, Strings>& member) {
    Strings lines;
    for (const auto& [host, addresses] : member) {
      for (const std::string& address : addresses) lines.push_back(host + "=" + address);
    }
    std::sort(lines.begin(), lines.end());
    field(key, lines);
  }
  void extensions(const Extensions& member) {
    if (!style_.extensions) return;
    for (const auto& [key, value] : member) append(*object_, key, sorted(value, style_));
  }

  // ---- values

  Json write(const std::string& value) { return value; }
  Json write(bool value) { return value; }
  Json write(double value) { return number(single_precision(value)); }
  template <std::integral T>
  Json write(T value) {
    return value;
  }
  Json write(Bytes value) {
    if (style_.exact) return value.value;
    return std::to_string(value.value);
  }
  Json write(FileMode value) { return file_mode_text(value); }
  Json write(Duration value) { return duration_text(value); }
  template <class T>
  requires std::is_enum_v<T> Json write(T value) { return word_of(value); }

  template <class T>
  Json write(const std::optional<T>& value) {
    return value ? write(*value) : Json(nullptr);
  }
  template <class T>
  Json write(const std::vector<T>& values) {
    Json list = Json::array();
    for (const T& value : values) list.push_back(write(value));
    return list;
  }
  template <class T>
  Json write(const std::map<std::string, T>& values) {
    std::vector<const std::pair<const std::string, T>*> order;
    for (const auto& entry : values) order.push_back(&entry);
    if (style_.yaml) {
      std::sort(order.begin(), order.end(),
                [](const auto* a, const auto* b) { return natural_less(a->first, b->first); });
    }
    Json object = Json::object();
    for (const auto* entry : order) append(object, entry->first, write(entry->second));
    return object;
  }

  // ---- structures

  template <class T>
  requires std::is_class_v<T> Json write(const T& value) {
    if constexpr (requires { value.written; }) {
      if (!value.written) return nullptr;
    }
    return write_fields(value);
  }

  Json write(const Ulimit& limit) {
    if (limit.single && (*limit.single != 0 || style_.exact)) return *limit.single;
    if (style_.yaml) return {{"soft", limit.soft}, {"hard", limit.hard}};
    Ulimit pair = limit;
    pair.single.reset();
    return write_fields(pair);
  }

  Json write(const EnvFile& file) {
    if (style_.exact) return write_fields(file);
    if (file.required) return file.path;
    return {{"path", file.path}, {"required", false}};
  }

  Json write(const std::vector<SshKey>& keys) {
    Json list = Json::array();
    Json by_id = Json::object();
    for (const SshKey& key : keys) {
      list.push_back(key.path.empty() ? key.id : key.id + ": " + key.path);
      by_id[key.id] = key.path.empty() ? Json(nullptr) : Json(key.path);
    }
    return style_.exact ? by_id : list;
  }

  Json write(const BindOptions& bind) {
    Json object = write_fields(bind);
    if (!style_.exact && !bind.create_host_path.value_or(true)) object.erase("create_host_path");
    return object;
  }

  /// The reference reads `ipam.options` and keeps nothing of them.
  Json write(const Ipam& ipam) {
    Json object = write_fields(ipam);
    if (!style_.exact) object.erase("options");
    return object;
  }

  Json write(const Network& network) { return write_named(network); }
  Json write(const Volume& volume) { return write_named(volume); }

  /// The reference prints these with the capitals of its own source in JSON.
  Json write(const WeightDevice& device) { return capitalised(write_fields(device)); }
  Json write(const ThrottleDevice& device) { return capitalised(write_fields(device)); }

  Json write_file_object(const FileObject& object, bool secret) {
    Json result = write_named(object);
    const bool hidden = secret || !object.environment.empty();
    const bool empty = !style_.exact && object.content.value_or("").empty();
    if ((hidden && !style_.contents) || empty) result.erase("content");
    return result;
  }

 private:
  template <class T>
  static bool is_empty(const T& value) {
    if constexpr (requires { value.has_value(); }) {
      return !value.has_value();
    } else if constexpr (requires { value.empty(); }) {
      return value.empty();
    } else if constexpr (requires { value.count(); }) {
      return value.count() == 0;
    } else if constexpr (std::is_arithmetic_v<T> || std::same_as<T, Bytes>) {
      return value == T{};
    } else {
      return false;
    }
  }

  /// A name that is empty because it was written so is shown to nobody.
  template <class T>
  Json write_named(const T& resource) {
    Json object = write_fields(resource);
    if (resource.unnamed && !style_.exact) object.erase("name");
    return object;
  }

  template <class T>
  Json write_fields(const T& value) {
    Json object = Json::object();
    Json* outer = std::exchange(object_, &object);
    describe(value, *this);
    object_ = outer;
    return object;
  }

  Json capitalised(const Json& object) const {
    if (style_.exact || style_.yaml) return object;
    Json result = Json::object();
    for (const auto& [key, value] : object.items()) {
      std::string name = key;
      if (!name.starts_with("x-")) name[0] = static_cast<char>(name[0] - 'a' + 'A');
      result[name] = value;
    }
    return result;
  }

  Style style_;
  Json* object_ = nullptr;
};

Json file_objects(const std::map<std::string, FileObject>& objects, bool secret,
                  const Style& style) {
  Json result = Json::object();
  Writer writer(style);
  std::vector<std::string> names;
  for (const auto& [name, object] : objects) names.push_back(name);
  if (style.yaml) std::sort(names.begin(), names.end(), natural_less);
  for (const std::string& name : names) {
    result[name] = writer.write_file_object(objects.at(name), secret);
  }
  return result;
}

void add(Json& object, const char* key, Json section) {
  if (!section.empty()) object[key] = std::move(section);
}

Json published_json(const Stack& stack) {
  Writer writer(kPublishedJson);
  Json result = Json::object();
  add(result, "configs", file_objects(stack.configs, false, kPublishedJson));
  result["name"] = stack.name;
  add(result, "networks", writer.write(stack.networks));
  add(result, "secrets", file_objects(stack.secrets, true, kPublishedJson));
  result["services"] = writer.write(stack.services);
  add(result, "volumes", writer.write(stack.volumes));
  for (const auto& [key, value] : stack.extensions) result[key] = sorted(value, kPublishedJson);
  return result;
}

Json in_reading_order(const Stack& stack, const Style& style) {
  Writer writer(style);
  Json result = Json::object();
  if (!stack.name.empty()) result["name"] = stack.name;
  result["services"] = writer.write(stack.services);
  add(result, "networks", writer.write(stack.networks));
  add(result, "volumes", writer.write(stack.volumes));
  add(result, "secrets", file_objects(stack.secrets, true, style));
  add(result, "configs", file_objects(stack.configs, false, style));
  add(result, "models", writer.write(stack.models));
  for (const auto& [key, value] : stack.extensions) result[key] = sorted(value, style);
  return result;
}

/// JSON text with `<`, `>`, `&` and the two line separators of Unicode escaped as Go does; `$`
/// doubled where asked.
std::string escaped_for_web(const std::string& text, bool double_dollars) {
  constexpr std::string_view kSeparators = "\u2028\u2029";
  std::string result;
  result.reserve(text.size() + text.size() / 16);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const std::string_view rest = std::string_view(text).substr(i, 3);
    if (c == '<') {
      result += "\\u003c";
    } else if (c == '>') {
      result += "\\u003e";
    } else if (c == '&') {
      result += "\\u0026";
    } else if (c == '$' && double_dollars) {
      result += "$$";
    } else if (rest == kSeparators.substr(0, 3) || rest == kSeparators.substr(3)) {
      result += rest == kSeparators.substr(0, 3) ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      result += c;
    }
  }
  return result;
}

std::string with_doubled_dollars(const std::string& text) {
  std::string result;
  result.reserve(text.size() + text.size() / 16);
  for (const char c : text) {
    if (c == '$') result += '$';
    result += c;
  }
  return result;
}

/// Where a value was written: itself, or what it is a part of; a service or resource alone says
/// nothing of what is in it.
const Position* origin_of(const Stack& stack, const std::string& path) {
  if (const auto own = stack.positions.find(path); own != stack.positions.end())
    return &own->second;
  const std::size_t section = path.find('.');
  if (section == std::string::npos) return nullptr;
  // The longest ancestor that is below a service or resource; names may have dots in them.
  for (std::size_t end = path.find_last_of(".["); end != std::string::npos && end > section;
       end = path.find_last_of(".[", end - 1)) {
    const std::string above = path.substr(0, end);
    const auto found = stack.positions.find(above);
    if (found == stack.positions.end()) continue;
    const std::string name = above.substr(section + 1);
    const bool whole = stack.services.contains(name) || stack.networks.contains(name) ||
                       stack.volumes.contains(name) || stack.configs.contains(name) ||
                       stack.secrets.contains(name) || stack.models.contains(name);
    return whole ? nullptr : &found->second;
  }
  return nullptr;
}

void collect_origins(const Json& value, const std::string& path, const Stack& stack, Json& leaves) {
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, item] : value.items())
      collect_origins(item, path.empty() ? key : path + "." + key, stack, leaves);
  } else if (value.is_array() && !value.empty()) {
    for (std::size_t i = 0; i < value.size(); ++i)
      collect_origins(value[i], path + "[" + std::to_string(i) + "]", stack, leaves);
  } else {
    Json leaf = {{"path", path}, {"value", value}};
    if (const Position* at = origin_of(stack, path)) {
      leaf["file"] = at->source->name;
      leaf["line"] = at->line;
      leaf["column"] = at->column;
    }
    leaves.push_back(std::move(leaf));
  }
}

std::string dumped(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace);
}

Json json_of(const Node& node) {
  Diagnostics ignored;
  Node wrapper = Node::make_mapping();
  wrapper.set("x-value", node);
  return decode(wrapper, ignored).extensions.at("x-value");
}

}  // namespace

Json to_json(const Stack& stack, Detail detail) {
  if (detail == Detail::published) return published_json(stack);
  Json result = in_reading_order(stack, kComplete);
  result["working_directory"] = stack.working_directory;
  result["config_files"] = stack.config_files;
  return result;
}

Json to_json(const Service& service, Detail detail) {
  return Writer(detail == Detail::published ? kPublishedJson : kComplete).write(service);
}

std::string json_text(const Json& value) { return escaped_for_web(dumped(value), false); }

std::string to_json_text(const Stack& stack) {
  return escaped_for_web(dumped(published_json(stack)), true);
}

std::string to_yaml(const Stack& stack) {
  return with_doubled_dollars(yaml_text(in_reading_order(stack, kPublishedYaml)));
}

std::string to_yaml_with_origins(const Stack& stack) {
  const Json model = in_reading_order(stack, kPublishedYaml);
  return with_doubled_dollars(yaml_text(model, [&](const std::string& path) {
    const Position* at = origin_of(stack, path);
    return at ? at->source->name + ":" + std::to_string(at->line) : std::string("default");
  }));
}

Json origins_json(const Stack& stack) {
  Json leaves = Json::array();
  collect_origins(in_reading_order(stack, kPublishedYaml), "", stack, leaves);
  return leaves;
}

Json to_json(const Node& model) { return sorted(json_of(model), kPublishedJson); }

std::string to_yaml(const Node& model) { return yaml_text(sorted(json_of(model), kPublishedYaml)); }

Json service_fingerprint(const Service& service) {
  Json result = Writer(kFingerprint).write(service);
  for (const auto* key : {"build", "pull_policy", "scale", "depends_on", "profiles"}) {
    result.erase(key);
  }
  if (const auto deploy = result.find("deploy"); deploy != result.end()) deploy->erase("replicas");
  return result;
}

}  // namespace manifests
