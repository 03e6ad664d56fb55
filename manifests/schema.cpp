#include "manifests/schema.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "manifests/scalar.hpp"
#include "manifests/schema_advice.hpp"
#include "manifests/values.hpp"

namespace manifests {

namespace {

/// The form a node is written in, as one bit; an integer counts as a number where only that is
/// allowed.
unsigned form_of(const Node& node) {
  switch (node.kind) {
    case Kind::null:
      return form::null;
    case Kind::sequence:
      return form::list;
    case Kind::mapping:
      return form::map;
    case Kind::scalar:
      break;
  }
  switch (node.type) {
    case ScalarType::null:
      return form::null;
    case ScalarType::boolean:
      return form::boolean;
    case ScalarType::integer:
      return form::integer | form::number;
    case ScalarType::floating: {
      const auto value = number_value(node.text);
      const bool whole = value && *value == std::floor(*value);
      return whole ? form::integer | form::number : form::number;
    }
    case ScalarType::string:
    case ScalarType::timestamp:
      return form::string;
  }
  return 0;
}

/// "array, mapping or string"
std::string describe_forms(unsigned forms) {
  static constexpr std::pair<unsigned, std::string_view> kNames[] = {
      {form::list, "array"},   {form::boolean, "boolean"}, {form::integer, "integer"},
      {form::map, "mapping"},  {form::null, "null"},       {form::number, "number"},
      {form::string, "string"}};
  std::vector<std::string_view> names;
  for (const auto& [bit, name] : kNames) {
    if ((forms & bit) != 0) names.push_back(name);
  }
  std::string result;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) result += i + 1 == names.size() ? " or " : ", ";
    result += names[i];
  }
  return result;
}

bool equal(const Node& a, const Node& b) {
  if (a.kind != b.kind) return false;
  if (a.is_scalar()) return a.type == b.type && a.text == b.text;
  return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), equal) &&
         std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
                    [](const Entry& left, const Entry& right) {
                      return left.key == right.key && equal(left.value, right.value);
                    });
}

/// Why a scalar cannot be read as what it stands for; nothing when it can.
std::string unreadable(const Node& node, Reads reads) {
  const auto reason = [](const auto& parsed) {
    const auto* failure = std::get_if<Unreadable>(&parsed);
    return failure ? failure->reason : std::string();
  };
  const bool written_number = node.type == ScalarType::integer || node.type == ScalarType::floating;
  switch (reads) {
    case Reads::text:
      return {};
    case Reads::boolean:
      return reason(parse_boolean(node.text));
    case Reads::integer:
      return written_number ? std::string() : reason(parse_integer(node.text));
    case Reads::number:
      return written_number ? std::string() : reason(parse_number(node.text));
    case Reads::bytes:
      return written_number ? std::string() : reason(parse_bytes(node.text));
    case Reads::duration:
      return reason(parse_duration(node.text));
    case Reads::microseconds:
      if (written_number || reason(parse_integer(node.text)).empty()) return {};
      return reason(parse_duration(node.text));
    case Reads::file_mode:
      return written_number ? std::string() : reason(parse_file_mode(node.text));
  }
  return {};
}

class Checker {
 public:
  explicit Checker(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void check(const Node& node, const Rule& rule, std::string& path) {
    if (node.is_scalar() && node.type == ScalarType::timestamp) {
      advise(report(node, path, "invalid jsonType time.Time: a date must be quoted"),
             {.hint = "write \"" + node.text + "\"", .suggestion = "\"" + node.text + "\""});
      return;
    }
    if ((form_of(node) & rule.forms) == 0) {
      advise(report(node, path, "must be a " + describe_forms(rule.forms)),
             advice_on_form(node, rule));
      return;
    }
    if (node.is_scalar()) check_scalar(node, rule, path);
    if (node.is_sequence()) check_list(node, rule, path);
    if (node.is_mapping()) check_map(node, rule, path);
  }

  /// The values that are wrong, with all that is in them.
  const std::unordered_set<const Node*>& refused() const { return refused_; }

 private:
  Diagnostic& report(const Node& node, const std::string& path, const std::string& what) {
    refused_.insert(&node);
    Diagnostic& diagnostic = diagnostics_.error(node.at, path.empty() ? what : path + " " + what);
    diagnostic.path = path;
    return diagnostic;
  }

  static void advise(Diagnostic& diagnostic, Advice advice) {
    diagnostic.hint = std::move(advice.hint);
    diagnostic.suggestion = std::move(advice.suggestion);
  }

  void check_scalar(const Node& node, const Rule& rule, std::string& path) {
    if (const std::string why = unreadable(node, rule.reads); !why.empty()) {
      refused_.insert(&node);
      Diagnostic& diagnostic = diagnostics_.error(node.at, path + ": " + why);
      diagnostic.path = path;
      advise(diagnostic, advice_on_text(node.text, rule.reads));
      return;
    }
    if (node.type == ScalarType::string) check_string(node, rule, path);
    const auto number = node.type == ScalarType::string ? std::nullopt : number_value(node.text);
    if (!number || rule.minimum >= rule.maximum) return;
    if (*number < rule.minimum) {
      report(node, path, "must be greater than or equal to " + number_text(rule.minimum));
    }
    if (*number > rule.maximum) {
      report(node, path, "must be less than or equal to " + number_text(rule.maximum));
    }
  }

  void check_string(const Node& node, const Rule& rule, std::string& path) {
    const bool known = rule.words.empty() || std::find(rule.words.begin(), rule.words.end(),
                                                       node.text) != rule.words.end();
    if (!known) {
      std::string words;
      for (const auto word : rule.words) {
        words += (words.empty() ? "'" : ", '") + std::string(word) + "'";
      }
      advise(report(node, path,
                    (rule.words.size() == 1 ? "value must be " : "value must be one of ") + words),
             advice_on_word(nearest(node.text, {rule.words.begin(), rule.words.end()})));
    }
    if (rule.pattern != nullptr && !rule.pattern->matches(node.text)) {
      report(node, path,
             "'" + node.text + "' does not match pattern '" +
                 std::string(rule.pattern->expression) + "'");
    }
  }

  void check_list(const Node& node, const Rule& rule, std::string& path) {
    const std::size_t outer = path.size();
    for (std::size_t i = 0; i < node.items.size() && rule.item != nullptr; ++i) {
      path += "." + std::to_string(i);
      check(node.items[i], *rule.item, path);
      path.resize(outer);
    }
    if (rule.unique) check_unique(node, path);
  }

  void check_unique(const Node& node, const std::string& path) {
    std::vector<std::pair<std::string_view, std::size_t>> texts;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      if (node.items[i].is_scalar()) texts.emplace_back(node.items[i].text, i);
    }
    std::sort(texts.begin(), texts.end());
    for (std::size_t i = 1; i < texts.size(); ++i) {
      const auto [first, second] = std::pair(texts[i - 1].second, texts[i].second);
      if (!equal(node.items[first], node.items[second])) continue;
      Diagnostic& diagnostic = diagnostics_.error(
          node.items[second].at, path + " items at " + std::to_string(first) + " and " +
                                     std::to_string(second) + " are equal");
      diagnostic.path = path;
      diagnostic.related = node.items[first].at;
      diagnostic.related_message = "the first one";
    }
  }

  void check_map(const Node& node, const Rule& rule, std::string& path) {
    const bool names_services = path == "services" && rule.value != nullptr;
    for (const Entry& entry : node.entries) {
      const std::size_t outer = path.size();
      if (const Rule* known = rule_of_key(rule, entry.key); known == nullptr) {
        if (!is_let_through(entry.key, rule)) refuse_key(entry, rule, path);
      } else {
        path += (path.empty() ? "" : ".") + entry.key;
        if (names_services && is_attribute(entry, *rule.value))
          refuse_attribute(entry, path);
        else
          check(entry.value, *known, path);
        path.resize(outer);
      }
    }
    for (const auto required : rule.required) {
      if (node.find(required) != nullptr) continue;
      advise(report(node, path, "missing property '" + std::string(required) + "'"),
             {.hint = "add `" + std::string(required) + ":`", .suggestion = std::string(required)});
    }
  }

  static bool is_let_through(const std::string& key, const Rule& rule) {
    return rule.open || (rule.extensible && key.starts_with("x-"));
  }

  /// An attribute of a service that stands where the names of services do.
  static bool is_attribute(const Entry& entry, const Rule& service) {
    if (rule_of_key(service, entry.key) == nullptr) return false;
    const Node& value = entry.value;
    return !value.is_null() &&
           std::none_of(value.entries.begin(), value.entries.end(), [&](const Entry& below) {
             return rule_of_key(service, below.key) != nullptr;
           });
  }

  void refuse_attribute(const Entry& entry, const std::string& path) {
    refused_.insert(&entry.value);
    Diagnostic& diagnostic = diagnostics_.error(entry.key_at, path + " must be a mapping");
    diagnostic.path = path;
    advise(diagnostic, advice_on_attribute(entry.key));
  }

  void refuse_key(const Entry& entry, const Rule& rule, std::string& path) {
    refused_.insert(&entry.value);
    const std::string what = "additional properties '" + entry.key + "' not allowed";
    Diagnostic& diagnostic =
        diagnostics_.error(entry.key_at, path.empty() ? what : path + " " + what);
    diagnostic.path = path.empty() ? entry.key : path + "." + entry.key;
    advise(diagnostic, advice_on_key(entry, rule, path));
  }

  Diagnostics& diagnostics_;
  std::unordered_set<const Node*> refused_;
};

/// Takes what was refused out of `node`, which stands `depth` keys below the top. False when that
/// includes a whole section, or an entry of one.
bool take_out(Node& node, const std::unordered_set<const Node*>& refused, int depth) {
  constexpr int kAttributes = 2;
  bool contained = true;
  const auto is_refused = [&](const Node& value) {
    if (!refused.contains(&value)) return false;
    contained = contained && depth >= kAttributes;
    return true;
  };
  // Addresses hold as long as nothing moves: below first.
  for (Entry& entry : node.entries)
    if (!refused.contains(&entry.value))
      contained = take_out(entry.value, refused, depth + 1) && contained;
  for (Node& item : node.items)
    if (!refused.contains(&item)) contained = take_out(item, refused, depth + 1) && contained;
  std::vector<Entry> entries;
  for (Entry& entry : node.entries)
    if (!is_refused(entry.value)) entries.push_back(std::move(entry));
  std::vector<Node> items;
  for (Node& item : node.items)
    if (!is_refused(item)) items.push_back(std::move(item));
  node.entries = std::move(entries);
  node.items = std::move(items);
  return contained;
}

bool require_mapping(const Node& model, Diagnostics& diagnostics) {
  if (!model.is_mapping()) diagnostics.error(model.at, "top-level object must be a mapping");
  return model.is_mapping();
}

}  // namespace

const Rule* rule_of_key(const Rule& rule, std::string_view key) {
  const auto known =
      std::find_if(rule.keys.begin(), rule.keys.end(),
                   [&](const Rule::Key& candidate) { return candidate.name == key; });
  if (known != rule.keys.end()) return known->rule;
  if (rule.value == nullptr) return nullptr;
  if (rule.names != nullptr) return rule.names->matches(key) ? rule.value : nullptr;
  return key.empty() ? nullptr : rule.value;
}

void validate_schema(const Node& model, Diagnostics& diagnostics) {
  std::string path;
  if (require_mapping(model, diagnostics))
    Checker(diagnostics).check(model, compose_schema(), path);
}

bool repair_schema(Node& model, Diagnostics& diagnostics) {
  if (!require_mapping(model, diagnostics)) return false;
  Checker checker(diagnostics);
  std::string path;
  checker.check(model, compose_schema(), path);
  if (checker.refused().empty()) return true;
  return !checker.refused().contains(&model) && take_out(model, checker.refused(), 0);
}

}  // namespace manifests
