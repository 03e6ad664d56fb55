#include "manifests/interpolate.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "manifests/tree_path.hpp"

namespace manifests {

namespace {

constexpr std::size_t kMaxExpanded = kMaxSourceBytes;
constexpr int kMaxDefaults = 64;  // `${A:-${B:-…}}` may nest this deep

bool begins_name(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool continues_name(char c) { return begins_name(c) || (c >= '0' && c <= '9'); }

std::size_t name_length(std::string_view text) {
  if (text.empty() || !begins_name(text[0])) return 0;
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), continues_name) -
                                  text.begin());
}

/// Where the brace that `text` begins with closes. Braces in a default may pair up; where they do
/// not, the last one of the text closes. npos when there is none.
std::size_t closing_brace(std::string_view text) {
  int open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') ++open;
    if (text[i] == '}' && --open == 0) return i;
  }
  return text.rfind('}');
}

class Expander {
 public:
  explicit Expander(const Lookup& lookup) : lookup_(lookup) {}

  Expansion run(std::string_view text) {
    result_.text = expand(text, 0);
    return std::move(result_);
  }

 private:
  std::string expand(std::string_view text, int depth);
  std::string braced(std::string_view whole, int depth);
  std::string plain(const std::string& name);

  std::string fail(Expansion::Failure failure, std::string message, std::string_view culprit) {
    if (result_.failure == Expansion::Failure::none) {
      result_.failure = failure;
      result_.message = std::move(message);
      result_.culprit = culprit;
    }
    return {};
  }
  std::string invalid(std::string_view culprit) {
    return fail(Expansion::Failure::syntax, "invalid interpolation format", culprit);
  }

  const Lookup& lookup_;
  Expansion result_;
};

std::string Expander::expand(std::string_view text, int depth) {
  if (depth > kMaxDefaults) return invalid(text);
  std::string out;
  while (!text.empty() && result_.failure == Expansion::Failure::none) {
    const std::size_t dollar = std::min(text.find('$'), text.size());
    out += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.size() < 2) {
      out += text;
      break;
    }
    if (out.size() > kMaxExpanded)
      return fail(Expansion::Failure::too_large, "the value becomes too large", text.substr(0, 1));
    if (text[1] == '$') {
      out += '$';
      text.remove_prefix(2);
    } else if (text[1] == '{') {
      const std::size_t close = closing_brace(text.substr(1));
      if (close == std::string_view::npos) return invalid(text);
      const std::string_view whole = text.substr(0, close + 2);
      out += braced(whole, depth);
      text.remove_prefix(whole.size());
    } else {
      const std::size_t length = name_length(text.substr(1));
      out += length == 0 ? std::string("$") : plain(std::string(text.substr(1, length)));
      text.remove_prefix(1 + length);
    }
  }
  return out;
}

std::string Expander::plain(const std::string& name) {
  if (auto value = lookup_(name)) return *std::move(value);
  result_.unset.push_back(name);
  return {};
}

/// `${…}`, braces and dollar sign included.
std::string Expander::braced(std::string_view whole, int depth) {
  std::string_view inside = whole.substr(2, whole.size() - 3);
  const std::size_t length = name_length(inside);
  if (length == 0) return invalid(whole);
  const std::string name(inside.substr(0, length));
  inside.remove_prefix(length);
  if (inside.empty()) return plain(name);

  const bool empty_is_unset = inside[0] == ':';
  if (empty_is_unset) inside.remove_prefix(1);
  if (inside.empty()) return invalid(whole);
  const char operation = inside[0];
  inside.remove_prefix(1);

  const auto value = lookup_(name);
  const bool present = value && !(empty_is_unset && value->empty());
  // The text after the operator is evaluated even where it is not used, as the reference does: what
  // it requires is required.
  const std::string alternative = expand(inside, depth + 1);
  switch (operation) {
    case '-':
      return present ? *value : alternative;
    case '+':
      return present ? alternative : value.value_or("");
    case '?':
      if (present) return *value;
      return fail(Expansion::Failure::required,
                  "required variable " + name + " is missing a value" +
                      (alternative.empty() ? "" : ": ") + alternative,
                  whole);
    default:
      return invalid(whole);
  }
}

/// Where `part` stands in the file, when the scalar is written there as it is; else the scalar.
Position place_of(const Node& scalar, const std::string& part) {
  if (!scalar.at || scalar.at.column < 1) return scalar.at;
  const std::string first_line = part.substr(0, part.find('\n'));
  const std::size_t found = scalar.at.source->line(scalar.at.line)
                                .find(first_line, static_cast<std::size_t>(scalar.at.column - 1));
  Position at = scalar.at;
  if (found != std::string_view::npos) at.column = static_cast<int>(found) + 1;
  return at;
}

/// What was probably meant by `${…}` that cannot be read; empty when nobody knows.
std::string meant_by(const std::string& culprit) {
  if (!culprit.starts_with("${")) return {};
  std::string_view inside = std::string_view(culprit).substr(2);
  const bool closed = inside.ends_with('}');
  if (closed) inside.remove_suffix(1);
  while (!inside.empty() && inside.front() == ' ') inside.remove_prefix(1);
  const std::size_t length = name_length(inside);
  if (length == 0) return {};
  const std::string name(inside.substr(0, length));
  std::string_view rest = inside.substr(length);
  if (!closed && rest.empty()) return "${" + name + "}";
  if (!closed)
    return (rest.starts_with(':') || rest.starts_with('-') || rest.starts_with('?'))
               ? culprit + "}"
               : "${" + name + "}" + std::string(rest);
  if (rest.find_first_not_of(' ') == std::string_view::npos) return "${" + name + "}";
  if (rest.starts_with(":=") || rest.starts_with('=') || rest.starts_with(':')) {
    rest.remove_prefix(rest.starts_with(":=") ? 2 : 1);
    return "${" + name + ":-" + std::string(rest) + "}";
  }
  return {};
}

class Interpolator {
 public:
  Interpolator(const Lookup& lookup, Diagnostics& diagnostics)
      : lookup_(lookup), diagnostics_(diagnostics) {}

  void visit(Node& node) {
    if (node.is_scalar()) replace(node);
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const Descent descent(path_, index_segment(i));
      visit(node.items[i]);
    }
    for (Entry& entry : node.entries) {
      const Descent descent(path_, entry.key);
      visit(entry.value);
    }
  }

 private:
  void replace(Node& scalar) {
    if (scalar.text.find('$') == std::string::npos) return;
    Expansion expansion = expand(scalar.text, lookup_);
    for (const std::string& name : expansion.unset)
      if (warned_.insert(name).second)
        diagnostics_.warning(place_of(scalar, name), unset_variable_message(name)).path =
            dotted(path_);
    if (expansion.failure == Expansion::Failure::none) {
      scalar.text = std::move(expansion.text);
      return;
    }
    report(scalar, expansion);
    // What the value would have been is unknown; whoever goes on finds nothing there.
    const Position at = scalar.at;
    scalar = Node();
    scalar.at = at;
  }

  void report(const Node& scalar, const Expansion& expansion) {
    const bool syntax = expansion.failure == Expansion::Failure::syntax;
    const std::string where = dotted(path_);
    Diagnostic& diagnostic = diagnostics_.error(
        place_of(scalar, expansion.culprit),
        syntax ? "invalid interpolation format for " + where + ": " + expansion.culprit
               : "error while interpolating " + where + ": " + expansion.message);
    diagnostic.path = where;
    if (syntax) {
      diagnostic.suggestion = meant_by(expansion.culprit);
      diagnostic.hint =
          (diagnostic.suggestion.empty() ? "" : "did you mean `" + diagnostic.suggestion + "`? ") +
          std::string("You may need to escape any $ with another $.");
    }
  }

  const Lookup& lookup_;
  Diagnostics& diagnostics_;
  TreePath path_;
  std::set<std::string> warned_;
};

}  // namespace

Expansion expand(std::string_view text, const Lookup& lookup) { return Expander(lookup).run(text); }

namespace {

/// `${…}`, braces and dollar sign included; nullopt when it names nothing.
std::optional<VariableReference> braced_reference(std::string_view whole) {
  std::string_view inside = whole.substr(2, whole.size() - 3);
  const std::size_t length = name_length(inside);
  if (length == 0) return std::nullopt;
  VariableReference reference{.name = std::string(inside.substr(0, length)),
                              .text = std::string(whole)};
  inside.remove_prefix(length);
  if (inside.empty()) return reference;
  reference.empty_is_unset = inside.front() == ':';
  if (reference.empty_is_unset) inside.remove_prefix(1);
  if (inside.empty() || std::string_view("-+?").find(inside.front()) == std::string_view::npos)
    return std::nullopt;
  reference.operation = inside.front();
  reference.argument = inside.substr(1);
  return reference;
}

void collect_references(std::string_view text, int depth, std::vector<VariableReference>& found) {
  for (std::size_t at = text.find('$'); at < text.size() && depth <= kMaxDefaults;) {
    const std::string_view rest = text.substr(at);
    std::size_t length = std::min<std::size_t>(rest.size(), rest.starts_with("$$") ? 2 : 1);
    if (rest.starts_with("${")) {
      const std::size_t close = closing_brace(rest.substr(1));
      if (close == std::string_view::npos) return;
      length = close + 2;
      if (auto reference = braced_reference(rest.substr(0, length))) {
        const std::string argument = reference->argument;
        found.push_back(*std::move(reference));
        collect_references(argument, depth + 1, found);
      }
    } else if (const std::size_t name = name_length(rest.substr(1)); name > 0) {
      length = 1 + name;
      found.push_back(
          {.name = std::string(rest.substr(1, name)), .text = std::string(rest.substr(0, length))});
    }
    at = text.find('$', at + length);
  }
}

}  // namespace

std::vector<VariableReference> variable_references(std::string_view text) {
  std::vector<VariableReference> found;
  collect_references(text, 0, found);
  return found;
}

std::string unset_variable_message(const std::string& name) {
  return "The \"" + name + "\" variable is not set. Defaulting to a blank string.";
}

void interpolate(Node& model, const Lookup& lookup, Diagnostics& diagnostics) {
  Interpolator(lookup, diagnostics).visit(model);
}

}  // namespace manifests
