#include "runtime/build/dockerfile.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace build {

namespace {

constexpr const char* kBlanks = " \t\r\v\f";

std::string_view trim_left(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlanks);
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

std::string_view trim_right(std::string_view text) {
  const auto end = text.find_last_not_of(kBlanks);
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end + 1);
}

std::string lowercase(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::string uppercase(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return result;
}

/// `# name = value`; nothing when the line is anything else.
std::optional<Directive> read_directive(std::string_view line, std::size_t number) {
  std::string_view rest = trim_left(line);
  if (!rest.starts_with('#')) return std::nullopt;
  rest = trim_left(rest.substr(1));
  const auto equals = rest.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  Directive directive;
  directive.name = lowercase(trim_right(rest.substr(0, equals)));
  directive.value = std::string(trim_right(trim_left(rest.substr(equals + 1))));
  directive.at = {number, static_cast<std::size_t>(rest.data() - line.data()) + 1};
  if (directive.name != "syntax" && directive.name != "escape" && directive.name != "check")
    return std::nullopt;
  return directive;
}

/// Whether a line goes on in the next one; takes the escape character and what follows it away.
bool take_continuation(std::string_view& line, char escape) {
  const auto last = line.find_last_not_of(" \t");
  if (last == std::string_view::npos || line[last] != escape) return false;
  if (last > 0 && line[last - 1] == escape) return false;
  line = line.substr(0, last);
  return true;
}

bool takes_heredocs(const Instruction& instruction) {
  const std::string& name = instruction.name;
  return (name == "RUN" || name == "COPY" || name == "ADD") && !instruction.json;
}

bool takes_json(const std::string& name) {
  static const std::vector<std::string> names{"RUN", "CMD",  "ENTRYPOINT", "SHELL",
                                              "ADD", "COPY", "VOLUME"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The words that begin with "--", up to the first that does not; where the rest begins.
std::size_t read_flags(const PositionedText& line, char escape, std::vector<Flag>& flags) {
  const std::string& text = line.text();
  std::size_t i = 0;
  for (;;) {
    while (i < text.size() && (text[i] == ' ' || text[i] == '\t')) ++i;
    if (text.compare(i, 2, "--") != 0) return i;
    const std::size_t begin = i;
    std::string word;
    char quote = '\0';
    for (; i < text.size() && (quote != '\0' || (text[i] != ' ' && text[i] != '\t')); ++i) {
      const char c = text[i];
      if (c == escape && i + 1 < text.size()) {
        word += text[++i];
      } else if (quote != '\0' ? c == quote : c == '"' || c == '\'') {
        quote = quote != '\0' ? '\0' : c;
      } else {
        word += c;
      }
    }
    if (word == "--") return i;
    Flag flag;
    const auto equals = word.find('=');
    flag.name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    if (equals != std::string::npos) flag.value = word.substr(equals + 1);
    flag.at = line.at(begin);
    flags.push_back(std::move(flag));
  }
}

/// The JSON form of an instruction, where it has one.
std::optional<std::vector<std::string>> read_json(const PositionedText& rest,
                                                  std::vector<Mistake>& mistakes) {
  if (!rest.text().starts_with('[')) return std::nullopt;
  const auto array = nlohmann::json::parse(rest.text(), nullptr, false);
  if (!array.is_array()) return std::nullopt;
  std::vector<std::string> words;
  for (const auto& element : array) {
    if (!element.is_string()) {
      mistakes.push_back({rest.at(0), "the JSON array may hold only strings", ""});
      return std::nullopt;
    }
    words.push_back(element.get<std::string>());
  }
  return words;
}

class Parser {
 public:
  explicit Parser(std::string_view text) {
    file_.text = std::string(text);
    std::string_view rest = file_.text;
    if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
    while (!rest.empty()) {
      const auto end = rest.find('\n');
      lines_.push_back(rest.substr(0, end));
      ended_.push_back(end != std::string_view::npos);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
  }

  Dockerfile run() {
    read_directives();
    while (next_ < lines_.size()) read_instruction();
    if (file_.instructions.empty() && file_.mistakes.empty())
      file_.mistakes.push_back(
          {{}, "the file holds no instructions", "begin with FROM and an image's name"});
    return std::move(file_);
  }

 private:
  std::string_view line(std::size_t index) const {
    std::string_view text = lines_[index];
    while (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    return text;
  }

  void read_directives() {
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      auto directive = read_directive(line(i), i + 1);
      if (!directive) return;
      for (const Directive& before : file_.directives)
        if (before.name == directive->name)
          file_.mistakes.push_back(
              {directive->at, "the directive '" + before.name + "' is given twice", ""});
      if (directive->name == "escape") {
        if (directive->value == "\\" || directive->value == "`")
          file_.escape = directive->value.front();
        else
          file_.mistakes.push_back({directive->at,
                                    "the escape character '" + directive->value + "' is invalid",
                                    "it is ` or \\"});
      }
      if (directive->name == "syntax" && !directive->value.starts_with("docker/dockerfile") &&
          !directive->value.starts_with("docker.io/docker/dockerfile"))
        file_.warnings.push_back({directive->at,
                                  "the frontend '" + directive->value +
                                      "' is not used: the file is read as a Dockerfile",
                                  ""});
      file_.directives.push_back(*std::move(directive));
    }
  }

  void read_instruction() {
    const std::size_t first = next_;
    std::string_view text = trim_left(line(next_++));
    if (text.empty() || text.front() == '#') return;
    PositionedText joined;
    const auto column = [&](std::size_t index) {
      return static_cast<std::size_t>(text.data() - lines_[index].data()) + 1;
    };
    bool goes_on = take_continuation(text, file_.escape);
    joined.append(text, {first + 1, column(first)});
    while (goes_on && next_ < lines_.size()) {
      const std::size_t index = next_++;
      text = line(index);
      const std::string_view content = trim_left(text);
      if (content.starts_with('#')) continue;
      if (content.empty()) {
        file_.warnings.push_back({{index + 1, 1},
                                  "an empty line inside of an instruction",
                                  "take it out: one day it will end the instruction"});
        continue;
      }
      goes_on = take_continuation(text, file_.escape);
      joined.append(text, {index + 1, column(index)});
    }
    joined.trim();
    if (joined.text().empty()) return;
    Instruction instruction = parse_instruction(joined, file_.escape, file_.mistakes);
    read_heredocs(instruction);
    instruction.last_line = next_;
    file_.instructions.push_back(std::move(instruction));
  }

  void read_heredocs(Instruction& instruction) {
    if (instruction.name == "ONBUILD") {
      std::vector<Mistake> ignored;
      const Instruction inner = parse_instruction(instruction.rest, file_.escape, ignored);
      if (!takes_heredocs(inner)) return;
      instruction.heredocs = find_heredocs(inner.rest);
    } else if (takes_heredocs(instruction)) {
      instruction.heredocs = find_heredocs(instruction.rest);
    }
    for (Heredoc& heredoc : instruction.heredocs) read_body(heredoc);
  }

  void read_body(Heredoc& heredoc) {
    while (next_ < lines_.size()) {
      const std::size_t index = next_++;
      std::string_view text = lines_[index];
      std::string_view bare = line(index);
      if (heredoc.strip_tabs) {
        const auto tabs = std::min(text.find_first_not_of('\t'), text.size());
        text.remove_prefix(tabs);
        bare.remove_prefix(std::min(tabs, bare.size()));
      }
      if (bare == heredoc.name) return;
      heredoc.content += text;
      if (ended_[index]) heredoc.content += '\n';
    }
    file_.mistakes.push_back({heredoc.at, "the heredoc '" + heredoc.name + "' has no end",
                              "end it by a line that is exactly " + heredoc.name});
  }

  Dockerfile file_;
  std::vector<std::string_view> lines_;
  std::vector<bool> ended_;  ///< by a newline, and not by the end of the file
  std::size_t next_ = 0;
};

std::string json_text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Instruction parse_instruction(const PositionedText& line, char escape,
                              std::vector<Mistake>& mistakes) {
  Instruction instruction;
  const std::string& text = line.text();
  const auto end = std::min(text.find_first_of(" \t\v\f\r\n"), text.size());
  instruction.name = uppercase(std::string_view(text).substr(0, end));
  instruction.at = line.at(0);
  instruction.last_line = line.at(text.size()).line;
  instruction.original = text;
  PositionedText rest = line.from(end);
  rest.trim();
  instruction.rest = rest.from(read_flags(rest, escape, instruction.flags));
  instruction.rest.trim();
  if (takes_json(instruction.name)) instruction.json = read_json(instruction.rest, mistakes);
  return instruction;
}

Dockerfile parse_dockerfile(std::string_view text) {
  if (text.size() > kMaxDockerfile) {
    Dockerfile file;
    file.mistakes.push_back(
        {{}, "the file is larger than " + std::to_string(kMaxDockerfile) + " bytes", ""});
    return file;
  }
  return Parser(text).run();
}

std::string dump(const Dockerfile& file) {
  std::string text;
  for (const Instruction& instruction : file.instructions) {
    text += "(" + lowercase(instruction.name);
    for (const Flag& flag : instruction.flags)
      text += " " + json_text("--" + flag.name + (flag.value ? "=" + *flag.value : ""));
    if (instruction.json) {
      for (const std::string& word : *instruction.json) text += " " + json_text(word);
    } else if (!instruction.rest.text().empty()) {
      text += " " + json_text(instruction.rest.text());
    }
    for (const Heredoc& heredoc : instruction.heredocs)
      text += " <<" + std::string(heredoc.expand ? "" : "'") + heredoc.name + " " +
              json_text(heredoc.content);
    text += ")\n";
  }
  return text;
}

}  // namespace build
