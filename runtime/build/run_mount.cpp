#include "runtime/build/run_mount.hpp"

#include <charconv>
#include <cmath>
#include <set>

#include "runtime/build/mistake.hpp"
#include "runtime/os/error.hpp"

namespace build {

namespace {

using Type = RunMount::Type;

std::string lowercase(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

bool truth(const std::string& key, const std::optional<std::string>& value) {
  if (!value || *value == "true" || *value == "1") return true;
  if (*value == "false" || *value == "0") return false;
  throw os::Error("'" + key + "' is true or false, not '" + *value + "'");
}

std::uint32_t number(const std::string& key, const std::string& text, int base) {
  std::uint32_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size())
    throw os::Error("'" + key + "' must be " + (base == 8 ? "an octal number" : "a number") +
                    ", not '" + text + "'");
  return value;
}

Type type_of(const std::string& text) {
  static const std::vector<std::string> names{"bind", "cache", "tmpfs", "secret", "ssh"};
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == text) return static_cast<Type>(i);
  const std::string near = nearest(text, names);
  throw os::Error(
      "unsupported mount type '" + text + "'" +
      (near.empty() ? ": use bind, cache, tmpfs, secret or ssh" : "; did you mean " + near + "?"));
}

RunMount::Sharing sharing_of(const std::string& text) {
  if (text == "shared") return RunMount::Sharing::shared;
  if (text == "private") return RunMount::Sharing::exclusive;
  if (text == "locked") return RunMount::Sharing::locked;
  throw os::Error("'sharing' is shared, private or locked, not '" + text + "'");
}

/// Which types have which keys.
bool belongs(const std::string& key, Type type) {
  static const std::set<std::string> any{"type", "target"};
  static const std::set<std::string> per_type[] = {
      {"source", "from", "readonly", "readwrite"},
      {"source", "from", "readonly", "readwrite", "id", "sharing", "mode", "uid", "gid"},
      {"size"},
      {"id", "source", "required", "mode", "uid", "gid", "env"},
      {"id", "required", "mode", "uid", "gid"}};
  return any.contains(key) || per_type[static_cast<std::size_t>(type)].contains(key);
}

std::string key_of(const std::string& written) {
  const std::string key = lowercase(written);
  if (key == "src") return "source";
  if (key == "dst" || key == "destination") return "target";
  if (key == "ro") return "readonly";
  if (key == "rw") return "readwrite";
  return key;
}

void set(RunMount& mount, const std::string& key, const std::optional<std::string>& value) {
  if (key == "readonly") {
    mount.read_only = truth(key, value);
    return;
  }
  if (key == "readwrite") {
    mount.read_only = !truth(key, value);
    return;
  }
  if (key == "required") {
    mount.required = truth(key, value);
    return;
  }
  if (!value) throw os::Error("'" + key + "' needs a value");
  if (key == "target") {
    mount.target = *value;
    mount.has_target = true;
  } else if (key == "source") {
    mount.source = *value;
  } else if (key == "from") {
    mount.from = *value;
  } else if (key == "id") {
    mount.id = *value;
  } else if (key == "env") {
    mount.env = *value;
  } else if (key == "sharing") {
    mount.sharing = sharing_of(*value);
  } else if (key == "mode") {
    mount.mode = number(key, *value, 8);
  } else if (key == "uid") {
    mount.uid = number(key, *value, 10);
  } else if (key == "gid") {
    mount.gid = number(key, *value, 10);
  } else if (key == "size") {
    const auto size = parse_size(*value);
    if (!size) throw os::Error("'size' must be a size such as 64m, not '" + *value + "'");
    mount.size = *size;
  }
}

std::string base_name(const std::string& path) {
  const auto slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

void complete(RunMount& mount) {
  if (mount.type == Type::secret) {
    // `source` is an older word for `id`.
    if (mount.id.empty() && mount.source != "/") mount.id = mount.source;
    if (mount.id.empty()) mount.id = base_name(mount.target);
    if (mount.id.empty()) throw os::Error("a secret needs an 'id'");
    if (mount.target.empty() && mount.env.empty()) mount.target = "/run/secrets/" + mount.id;
    return;
  }
  if (mount.type == Type::ssh) {
    if (mount.id.empty()) mount.id = "default";
    return;
  }
  if (mount.target.empty()) throw os::Error("'target' is missing");
  if (mount.target == "/") throw os::Error("'target' must not be /");
}

}  // namespace

std::vector<std::string> split_csv(std::string_view text) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      fields.back() += text[++i];
    } else if (c == '"' && (quoted || fields.back().empty())) {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  std::string lower = lowercase(text);
  if (lower.size() > 1 && lower.back() == 'b') lower.pop_back();
  double factor = 1;
  const auto unit = std::string_view("kmgt").find(lower.empty() ? ' ' : lower.back());
  if (unit != std::string_view::npos) {
    factor = std::pow(1024.0, static_cast<double>(unit + 1));
    lower.pop_back();
  }
  double value = 0;
  const auto [end, failed] = std::from_chars(lower.data(), lower.data() + lower.size(), value);
  if (lower.empty() || failed != std::errc() || end != lower.data() + lower.size())
    return std::nullopt;
  if (!(value >= 0) || value * factor > 9.0e18) return std::nullopt;
  return static_cast<std::int64_t>(value * factor);
}

RunMount parse_run_mount(std::string_view text, const Lookup& lookup) {
  static const std::vector<std::string> known{
      "type", "target", "source",   "from",     "id",  "sharing", "mode",
      "uid",  "gid",    "readonly", "required", "env", "size",    "readwrite"};
  std::vector<std::pair<std::string, std::optional<std::string>>> pairs;
  RunMount mount;
  for (const std::string& field : split_csv(text)) {
    const auto equals = field.find('=');
    const std::string written = field.substr(0, equals);
    const std::string key = key_of(written);
    std::optional<std::string> value;
    if (equals != std::string::npos) {
      value = field.substr(equals + 1);
      if (key != "from") value = expand_word(*value, lookup);
    }
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      const std::string near = nearest(written, known);
      throw os::Error("unexpected key '" + written + "'" +
                      (near.empty() ? "" : "; did you mean " + near + "?"));
    }
    if (key == "type")
      mount.type = type_of(value.value_or(""));
    else
      pairs.emplace_back(key, value);
  }
  mount.read_only = mount.type == Type::bind;
  for (const auto& [key, value] : pairs) {
    if (!belongs(key, mount.type)) throw os::Error("this type of mount has no key '" + key + "'");
    set(mount, key, value);
  }
  complete(mount);
  return mount;
}

}  // namespace build
