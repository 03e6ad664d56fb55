#include "orchestrator/cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

#include "manifests/diagnostic.hpp"

namespace cli {

struct CommandLine::Parser {
  CLI::App app;
};

CommandLine::CommandLine(std::string name, std::string summary, std::vector<std::string> words)
    : name_(std::move(name)),
      summary_(std::move(summary)),
      words_(std::move(words)),
      parser_(std::make_unique<Parser>()) {
  parser_->app.set_help_flag();
  parser_->app.allow_extras();
}

CommandLine::~CommandLine() = default;

void CommandLine::flag(const char* names, bool& value, const char* help) {
  parser_->app.add_flag(names, value);
  declared_.push_back({names, "", help});
}

void CommandLine::option(const char* names, std::string& value, const char* type,
                         const char* help) {
  parser_->app.add_option(names, value)->allow_extra_args(false)->take_last();
  declared_.push_back({names, type, help});
}

void CommandLine::option(const char* names, std::optional<std::string>& value, const char* type,
                         const char* help) {
  parser_->app
      .add_option_function<std::string>(names, [&value](const std::string& text) { value = text; })
      ->allow_extra_args(false)
      ->take_last();
  declared_.push_back({names, type, help});
}

void CommandLine::option(const char* names, int& value, const char* type, const char* help) {
  parser_->app.add_option(names, value)->allow_extra_args(false)->take_last();
  declared_.push_back({names, type, help});
}

void CommandLine::list(const char* names, std::vector<std::string>& values, const char* type,
                       const char* help) {
  parser_->app.add_option(names, values)->allow_extra_args(false);
  declared_.push_back({names, type, help});
}

void CommandLine::arguments(const char* usage, std::vector<std::string>& values, std::size_t least,
                            std::size_t most) {
  usage_ = usage;
  arguments_ = &values;
  least_ = least;
  most_ = most;
}

void CommandLine::command(const char* usage, std::vector<std::string>& values, std::size_t least) {
  arguments(usage, values, least);
  parser_->app.prefix_command();
}

void CommandLine::example(const char* line, const char* meaning) {
  examples_.emplace_back(line, meaning);
}

bool CommandLine::parse(Help help) {
  bool help_wanted = false;
  flag("-h,--help", help_wanted, "Show this help");
  try {
    std::vector<std::string> reversed(words_.rbegin(), words_.rend());
    parser_->app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  if (help_wanted) {
    if (help == Help::print) std::cout << help_text();
    return false;
  }
  take_arguments(parser_->app.remaining());
  return true;
}

void CommandLine::take_arguments(const std::vector<std::string>& rest) {
  std::vector<std::string> taken;
  bool flags_ended = false;
  for (const std::string& word : rest) {
    if (flags_ended) {
      taken.push_back(word);
    } else if (word == "--") {
      flags_ended = true;
    } else if (word.size() > 1 && word.front() == '-') {
      throw UsageError(unknown_flag(word));
    } else {
      taken.push_back(word);
      flags_ended = parser_->app.get_prefix_command();
    }
  }
  if (taken.size() < least_)
    throw UsageError("requires at least " + std::to_string(least_) + " argument" +
                     (least_ == 1 ? "" : "s") + ", only received " + std::to_string(taken.size()) +
                     ": " + name_ + " " + usage_);
  if (taken.size() > (arguments_ == nullptr ? 0 : most_))
    throw UsageError("unexpected argument \"" +
                     taken[arguments_ == nullptr ? std::size_t{0} : most_] + "\"");
  if (arguments_ != nullptr) *arguments_ = std::move(taken);
}

std::string CommandLine::unknown_flag(const std::string& word) const {
  const std::string bare = word.substr(0, word.find('='));
  std::vector<std::string> known;
  for (const Declared& declared : declared_) {
    std::istringstream names(declared.names);
    for (std::string name; std::getline(names, name, ',');)
      if (name.starts_with("--")) known.push_back(name);
  }
  const std::string near = manifests::nearest(bare, known);
  return "unknown flag: " + bare + (near.empty() ? "" : "; did you mean " + near + "?");
}

bool CommandLine::given(const char* name) const { return parser_->app.count(name) > 0; }

std::string CommandLine::help_text() const {
  std::string text = summary_ + "\n\nUsage: " + name_ + " [OPTIONS] " + usage_ + "\n\nOptions:\n";
  std::vector<std::pair<std::string, std::string>> rows;
  std::size_t width = 0;
  for (const Declared& declared : declared_) {
    if (declared.help.empty()) continue;  // accepted, and nothing that one should learn
    std::string left = declared.names;
    if (const auto comma = left.find(','); comma != std::string::npos) left.insert(comma + 1, " ");
    if (left.starts_with("--")) left.insert(0, "    ");  // below the long names of the others
    if (!declared.type.empty()) left += " " + declared.type;
    width = std::max(width, left.size());
    rows.emplace_back(std::move(left), declared.help);
  }
  for (const auto& [left, right] : rows)
    text += "  " + left + std::string(width - left.size() + 3, ' ') + right + "\n";
  if (examples_.empty()) return text;
  text += "\nExamples:\n";
  width = 0;
  for (const auto& [line, meaning] : examples_) width = std::max(width, line.size());
  for (const auto& [line, meaning] : examples_)
    text += "  " + line + std::string(width - line.size() + 3, ' ') + meaning + "\n";
  return text;
}

}  // namespace cli
