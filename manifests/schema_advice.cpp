#include "manifests/schema_advice.hpp"

#include <algorithm>
#include <vector>

#include "manifests/diagnostic.hpp"
#include "manifests/scalar.hpp"
#include "manifests/values.hpp"

namespace manifests {

namespace {

std::vector<std::string> keys_of(const Rule& rule) {
  std::vector<std::string> keys;
  for (const Rule::Key& key : rule.keys) keys.emplace_back(key.name);
  return keys;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The number that `text` begins with, as it is written.
std::string_view leading_number(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && (is_digit(text[end]) || (text[end] == '.' && end > 0))) ++end;
  return text.substr(0, end);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// The unit that a misspelt one begins like: "sec" is "s", "min" is "m", "hours" is "h".
std::string unit_like(std::string_view word, std::string_view letters, std::string_view otherwise) {
  if (word.empty()) return std::string(otherwise);
  const char first =
      word[0] >= 'A' && word[0] <= 'Z' ? static_cast<char>(word[0] - 'A' + 'a') : word[0];
  if (word.size() > 1 && (word.starts_with("ms") || word.starts_with("mil"))) return "ms";
  return letters.find(first) == std::string_view::npos ? std::string() : std::string(1, first);
}

Advice number_with_unit(std::string_view text, std::string_view letters, std::string_view otherwise,
                        std::string_view examples) {
  const std::string general = "write a number with a unit, as in " + std::string(examples);
  const std::string_view number = leading_number(trimmed(text));
  const std::string unit =
      unit_like(trimmed(trimmed(text).substr(number.size())), letters, otherwise);
  if (number.empty() || unit.empty()) return {.hint = general, .suggestion = {}};
  const std::string suggestion = std::string(number) + unit;
  return {.hint = "did you mean '" + suggestion + "'? " + general, .suggestion = suggestion};
}

/// `image nginx` where a mapping should stand: the colon is missing.
Advice missing_colon(const Node& node, const Rule& rule) {
  const std::size_t blank = node.text.find(' ');
  const std::string first = node.text.substr(0, blank);
  const bool known =
      rule_of_key(rule, first) != nullptr && (rule.value == nullptr || blank != std::string::npos);
  if (!known) return {};
  const std::string rest = blank == std::string::npos ? "" : node.text.substr(blank);
  return {.hint = "did you mean `" + first + ":" + rest + "`? A colon stands after a key",
          .suggestion = first + ":" + rest};
}

Advice quoted(const Node& node) {
  return {.hint = "put it in quotes: \"" + node.text + "\"", .suggestion = "\"" + node.text + "\""};
}

/// Where a key is at home that was written somewhere else.
std::string_view home_of(std::string_view key, const std::string& path) {
  const auto& top = compose_schema();
  const Rule* services = rule_of_key(top, "services");
  const bool in_service = path.starts_with("services.") || path == "services";
  if (!in_service && rule_of_key(*services->value, key) != nullptr)
    return "it is an attribute of a service: indent it below one";
  if (path == "services") return {};
  if (in_service && path.find('.', sizeof "services.") != std::string::npos &&
      rule_of_key(*services->value, key) != nullptr)
    return "it is an attribute of the service: indent it as the service's other attributes";
  if (!path.empty() && rule_of_key(top, key) != nullptr)
    return "it belongs at the top level: write it without indentation";
  return {};
}

}  // namespace

Advice advice_on_word(const std::string& word) {
  if (word.empty()) return {};
  return {.hint = "did you mean '" + word + "'?", .suggestion = word};
}

Advice advice_on_key(const Entry& entry, const Rule& rule, const std::string& path) {
  const std::string near = nearest(entry.key, keys_of(rule));
  const std::string_view home = home_of(entry.key, path);
  if (!home.empty()) return {.hint = std::string(home), .suggestion = entry.key};
  if (!near.empty()) return advice_on_word(near);
  if (rule.names != nullptr)
    return {.hint = "a name is made of letters, digits, `.`, `_` and `-`", .suggestion = {}};
  if (path.empty())
    return {.hint = "keys of your own begin with `x-`", .suggestion = "x-" + entry.key};
  return {};
}

Advice advice_on_attribute(const std::string& key) {
  return {.hint = "`" + key + "` is an attribute of a service: indent it below one",
          .suggestion = key};
}

Advice advice_on_form(const Node& node, const Rule& rule) {
  const bool takes_list = (rule.forms & form::list) != 0;
  const bool takes_map = (rule.forms & form::map) != 0;
  if (node.is_scalar() && takes_map)
    if (Advice advice = missing_colon(node, rule); !advice.hint.empty()) return advice;
  if (node.is_scalar() && takes_list)
    return {.hint = "write a list: `- " + node.text + "`", .suggestion = "- " + node.text};
  if (rule.reads == Reads::duration && node.is_scalar())
    return advice_on_text(node.text, Reads::duration);
  if (node.is_scalar() && (rule.forms & form::string) != 0) return quoted(node);
  if (node.is_null() && (rule.forms & form::null) == 0)
    return {.hint = takes_map    ? "write `key: value` lines below it, indented further"
                    : takes_list ? "write a list below it: lines that begin with `- `"
                                 : "write a value after the colon, or leave the key out",
            .suggestion = {}};
  if (takes_map)
    return {.hint = "write `key: value` lines without `- ` before them", .suggestion = {}};
  if (takes_list) return {.hint = "write a list: lines that begin with `- `", .suggestion = {}};
  if ((rule.forms & form::boolean) != 0) return {.hint = "write true or false", .suggestion = {}};
  return {.hint = "write one value after the colon", .suggestion = {}};
}

Advice advice_on_text(std::string_view text, Reads reads) {
  switch (reads) {
    case Reads::text:
      return {};
    case Reads::boolean: {
      const std::string near = nearest(text, {"true", "false"});
      return near.empty() ? Advice{.hint = "write true or false", .suggestion = {}}
                          : advice_on_word(near);
    }
    case Reads::integer:
    case Reads::number: {
      const std::string number(leading_number(trimmed(text)));
      if (number.empty()) return {.hint = "write a number", .suggestion = {}};
      return {.hint = "write a number without a unit: " + number, .suggestion = number};
    }
    case Reads::bytes:
      return number_with_unit(text, "bkmgtp", "", "512k, 64m or 1.5g");
    case Reads::duration:
      return number_with_unit(text, "smhdw", "s", "10s, 1m30s or 500ms");
    case Reads::microseconds:
      return {.hint = "write microseconds, or a duration as in 400ms", .suggestion = {}};
    case Reads::file_mode:
      return {.hint = "write octal digits, as in \"0440\"", .suggestion = {}};
  }
  return {};
}

Advice advice_on_port(std::string_view text) {
  std::string digits;
  std::string number;
  for (const char c : std::string(text) + " ") {
    if (is_digit(c)) {
      number += c;
      continue;
    }
    if (number.size() > 5 || (number.size() == 5 && number > "65535")) digits = number;
    number.clear();
  }
  if (!digits.empty())
    return {.hint = "ports are numbers from 1 to 65535, and " + digits + " is not one",
            .suggestion = {}};
  const std::size_t slash = text.rfind('/');
  if (slash != std::string_view::npos) {
    const std::string near = nearest(text.substr(slash + 1), {"tcp", "udp", "sctp"});
    const bool known = near == text.substr(slash + 1);
    if (!near.empty() && !known) {
      const std::string suggestion = std::string(text.substr(0, slash + 1)) + near;
      return {.hint = "did you mean '" + suggestion + "'?", .suggestion = suggestion};
    }
  }
  return {.hint = "write [[IP:]HOST:]CONTAINER[/PROTOCOL], as in 8080:80 or 127.0.0.1:53:53/udp",
          .suggestion = {}};
}

}  // namespace manifests
