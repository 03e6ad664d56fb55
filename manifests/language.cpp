#include "manifests/language.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "manifests/attribute_help.hpp"
#include "manifests/outline.hpp"

namespace manifests {

namespace {

/// Where names of a section are used.
struct Reference {
  std::string_view pattern;
  std::string_view section;
};

constexpr std::array kReferences = {
    Reference{"services.*.depends_on.*", "services"},
    Reference{"services.*.links.*", "services"},
    Reference{"services.*.volumes_from.*", "services"},
    Reference{"services.*.extends", "services"},
    Reference{"services.*.extends.service", "services"},
    Reference{"services.*.network_mode", "services"},
    Reference{"services.*.ipc", "services"},
    Reference{"services.*.pid", "services"},
    Reference{"services.*.build.additional_contexts.*", "services"},
    Reference{"services.*.networks.*", "networks"},
    Reference{"services.*.volumes.*", "volumes"},
    Reference{"services.*.volumes.*.source", "volumes"},
    Reference{"services.*.secrets.*", "secrets"},
    Reference{"services.*.secrets.*.source", "secrets"},
    Reference{"services.*.build.secrets.*", "secrets"},
    Reference{"services.*.configs.*", "configs"},
    Reference{"services.*.configs.*.source", "configs"},
    Reference{"services.*.models.*", "models"},
};

std::string_view section_named_at(const TreePath& path) {
  const auto* found =
      std::find_if(kReferences.begin(), kReferences.end(),
                   [&](const Reference& reference) { return matches(path, reference.pattern); });
  return found == kReferences.end() ? std::string_view() : found->section;
}

/// Words for attributes whose text the table does not limit.
struct KnownWords {
  std::string_view pattern;
  std::array<std::string_view, 5> words;
};

constexpr std::array kKnownWords = {
    KnownWords{"services.*.restart", {"no", "always", "on-failure", "unless-stopped"}},
    KnownWords{"services.*.pull_policy", {"always", "missing", "never", "build", "daily"}},
    KnownWords{"services.*.network_mode", {"none", "host", "bridge"}},
    KnownWords{"services.*.ports.*.protocol", {"tcp", "udp", "sctp"}},
    KnownWords{"services.*.logging.driver", {"json-file", "local", "none"}},
    KnownWords{"services.*.deploy.restart_policy.condition", {"none", "on-failure", "any"}},
    KnownWords{"services.*.ipc", {"private", "shareable", "host", "none"}},
    KnownWords{"services.*.pid", {"host"}},
};

/// Flow style hides the brackets: `networks: [a, b]` names items.
TreePath item_of(TreePath path) {
  path.push_back(index_segment(0));
  return path;
}

class Completer {
 public:
  Completer(const std::string& text, TextPlace place) : outline_(text), place_(place) {}

  std::vector<Completion> run() {
    if (place_.line >= outline_.size()) return {};
    const std::string_view before =
        outline_.text(place_.line)
            .substr(0, std::min(place_.column, outline_.text(place_.line).size()));
    const OutlineLine& line = outline_.line(place_.line);
    const bool after_key = !line.key.empty() && place_.column >= line.value_at &&
                           before.find(':') != std::string_view::npos;
    const std::size_t indent = std::min(before.find_first_not_of(' '), before.size());
    TreePath path = outline_.path_to(place_.line, line.blank ? indent : line.indent);
    if (after_key) {
      add_values(path);
      if (before.find('[') != std::string_view::npos) add_values(item_of(path));
      return std::move(found_);
    }
    if (!line.key.empty()) path.pop_back();
    if (line.is_item && line.key.empty()) add_values(path);
    add_keys(path);
    return std::move(found_);
  }

 private:
  void add(Completion::Kind kind, std::string label, std::string insert, std::string_view help) {
    if (seen_.insert(label).second)
      found_.push_back({kind, std::move(label), std::move(insert), std::string(help)});
  }

  void add_names(std::string_view section, std::string_view prefix, std::string_view suffix) {
    for (const std::size_t line : outline_.children({std::string(section)})) {
      const std::string name = std::string(prefix) + outline_.line(line).key;
      add(Completion::Kind::reference, name, name + std::string(suffix), "");
    }
  }

  void add_values(const TreePath& path) {
    if (const Rule* rule = rule_at(path)) {
      for (const auto word : rule->words)
        add(Completion::Kind::value, std::string(word), std::string(word), "");
      if (rule->reads == Reads::boolean && (rule->forms & form::boolean) != 0)
        for (const char* word : {"true", "false"}) add(Completion::Kind::value, word, word, "");
    }
    for (const KnownWords& known : kKnownWords)
      if (matches(path, known.pattern))
        for (const auto word : known.words)
          if (!word.empty()) add(Completion::Kind::value, std::string(word), std::string(word), "");
    const std::string_view section = section_named_at(path);
    if (section.empty()) return;
    const bool mode = matches(path, "services.*.network_mode") || matches(path, "services.*.ipc") ||
                      matches(path, "services.*.pid");
    const bool mount = matches(path, "services.*.volumes.*");
    add_names(section, mode ? "service:" : "", mount ? ":" : "");
  }

  void add_keys(const TreePath& parent) {
    const Rule* rule = rule_at(parent);
    if (rule == nullptr) return;
    std::set<std::string> taken;
    for (const std::size_t line : outline_.children(parent))
      if (line != place_.line) taken.insert(outline_.line(line).key);
    for (const Rule::Key& key : rule->keys) {
      std::string name(key.name);
      if (taken.contains(name)) continue;
      TreePath path = parent;
      path.push_back(name);
      const bool scalar_first = (key.rule->forms & (form::list | form::map)) == 0;
      add(Completion::Kind::key, name, name + (scalar_first ? ": " : ":"), attribute_help(path));
    }
    TreePath name_path = parent;
    name_path.push_back("*");
    if (const std::string_view section = section_named_at(name_path); !section.empty())
      add_names(section, "", ":");
  }

  Outline outline_;
  TextPlace place_;
  std::vector<Completion> found_;
  std::set<std::string> seen_;
};

std::string describe_forms(const Rule& rule) {
  static constexpr std::pair<unsigned, const char*> kForms[] = {
      {form::boolean, "boolean"}, {form::integer, "integer"}, {form::number, "number"},
      {form::string, "string"},   {form::list, "list"},       {form::map, "mapping"}};
  std::string text;
  for (const auto& [bit, name] : kForms)
    if ((rule.forms & bit) != 0) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

std::optional<Definition> defined_in(const std::string& text, std::string_view section,
                                     const std::string& name, const std::string& file) {
  const Outline outline(text);
  for (const std::size_t line : outline.children({std::string(section)}))
    if (outline.line(line).key == name)
      return Definition{.file = file, .at = {line, outline.line(line).indent}};
  return std::nullopt;
}

std::optional<Definition> anchor_definition(const std::string& text, const std::string& name) {
  const Outline outline(text);
  for (std::size_t i = 0; i < outline.size(); ++i) {
    const std::string_view line = outline.text(i);
    for (std::size_t at = line.find('&'); at != std::string_view::npos; at = line.find('&', at + 1))
      if (word_at(line, at + 1) == name) return Definition{.file = {}, .at = {i, at}};
  }
  return std::nullopt;
}

/// The `file:` beside the `service:` at `line`; empty when there is none.
std::string extended_file(const Outline& outline, std::size_t line) {
  TreePath parent = outline.path_to(line, outline.line(line).indent);
  if (parent.empty() || parent.back() != "service") return {};
  parent.pop_back();
  for (const std::size_t sibling : outline.children(parent))
    if (outline.line(sibling).key == "file") return outline.line(sibling).value;
  return {};
}

bool names_file(const TreePath& path) {
  static constexpr std::string_view kPatterns[] = {"include.*",
                                                   "include.*.path",
                                                   "include.*.path.*",
                                                   "services.*.extends.file",
                                                   "services.*.env_file",
                                                   "services.*.env_file.*",
                                                   "services.*.env_file.*.path",
                                                   "configs.*.file",
                                                   "secrets.*.file"};
  return std::any_of(std::begin(kPatterns), std::end(kPatterns),
                     [&](std::string_view pattern) { return matches(path, pattern); });
}

}  // namespace

const Rule* rule_at(const TreePath& path) {
  const Rule* rule = &compose_schema();
  for (const std::string& segment : path) {
    if (rule == nullptr) return nullptr;
    rule = segment.starts_with('[') ? rule->item : rule_of_key(*rule, segment);
  }
  return rule;
}

std::vector<Completion> complete(const std::string& text, TextPlace place) {
  return Completer(text, place).run();
}

std::optional<std::string> hover(const std::string& text, TextPlace place) {
  const Outline outline(text);
  if (place.line >= outline.size()) return std::nullopt;
  const OutlineLine& line = outline.line(place.line);
  if (line.key.empty()) return std::nullopt;
  const TreePath path = outline.path_to(place.line, line.indent);
  const std::string_view help = attribute_help(path);
  const Rule* rule = rule_at(path);
  if (rule == nullptr) return std::nullopt;
  std::string markdown = "**" + line.key + "** (" + describe_forms(*rule) + ")";
  if (!help.empty()) markdown += "\n\n" + std::string(help);
  if (!rule->words.empty()) {
    markdown += "\n\nOne of";
    for (const auto word : rule->words) markdown += " `" + std::string(word) + "`";
  }
  return markdown;
}

std::optional<Definition> find_definition(const std::string& text, TextPlace place,
                                          const ReadText& read) {
  const Outline outline(text);
  if (place.line >= outline.size()) return std::nullopt;
  const std::string_view line_text = outline.text(place.line);
  const OutlineLine& line = outline.line(place.line);
  const std::string word = word_at(line_text, place.column);
  if (word.empty()) return std::nullopt;
  const std::size_t begin = line_text.rfind(word, place.column);
  if (begin != std::string_view::npos && begin > 0 && line_text[begin - 1] == '*')
    return anchor_definition(text, word);
  TreePath path = outline.path_to(place.line, line.indent);
  if (names_file(path) || names_file(item_of(path)))
    return line.value.empty() ? std::nullopt
                              : std::optional(Definition{.file = line.value, .at = {}});
  std::string_view section = section_named_at(path);
  if (section.empty()) section = section_named_at(item_of(path));
  if (section.empty()) return std::nullopt;
  const std::string file = extended_file(outline, place.line);
  if (file.empty()) return defined_in(text, section, word, "");
  const auto other = read(file);
  return other ? defined_in(*other, section, word, file) : std::nullopt;
}

}  // namespace manifests
