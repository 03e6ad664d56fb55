#include "runtime/build/check.hpp"

#include <algorithm>

#include "runtime/build/flags.hpp"
#include "runtime/build/glob.hpp"
#include "runtime/build/run_mount.hpp"
#include "runtime/build/values.hpp"
#include "runtime/os/error.hpp"

namespace build {

namespace {

const std::vector<std::string>& known_names() {
  static const std::vector<std::string> names{
      "ADD",    "ARG",   "CMD",         "COPY",       "ENTRYPOINT", "ENV",
      "EXPOSE", "FROM",  "HEALTHCHECK", "LABEL",      "MAINTAINER", "ONBUILD",
      "RUN",    "SHELL", "USER",        "STOPSIGNAL", "VOLUME",     "WORKDIR"};
  return names;
}

bool is_known(const std::string& name) {
  const auto& names = known_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool has_variable(std::string_view text) { return text.find('$') != std::string_view::npos; }

/// Checks one instruction; each mistake gets the place that it is about.
class Checker {
 public:
  Checker(const Instruction& instruction, char escape, std::vector<Mistake>& mistakes)
      : instruction_(instruction), escape_(escape), mistakes_(mistakes) {}

  void run() {
    const std::string& name = instruction_.name;
    if (!is_known(name)) {
      mistakes_.push_back(
          {instruction_.at, "unknown instruction: " + name, did_you_mean(name, known_names())});
      return;
    }
    check_flags(instruction_, mistakes_);
    if (name != "RUN" && name != "CMD" && name != "ENTRYPOINT" && text().empty() &&
        instruction_.heredocs.empty()) {
      add(instruction_.at, name + " needs an argument");
      return;
    }
    try {
      check_arguments(name);
    } catch (const os::Error& error) {
      add(instruction_.rest.at(0), error.what());
    }
    check_substitutions(name);
  }

 private:
  const std::string& text() const { return instruction_.rest.text(); }

  void add(Position at, std::string message, std::string hint = {}) {
    mistakes_.push_back({at, std::move(message), std::move(hint)});
  }

  void check_arguments(const std::string& name) {
    if (name == "ENV" || name == "LABEL") {
      split_pairs(text(), escape_);
    } else if (name == "ARG") {
      split_arguments(text(), escape_);
    } else if (name == "COPY" || name == "ADD") {
      check_copy();
    } else if (name == "RUN") {
      check_run();
    } else if (name == "CMD" || name == "ENTRYPOINT") {
      if (text().empty() && !instruction_.json) add(instruction_.at, name + " needs an argument");
    } else if (name == "SHELL") {
      if (!instruction_.json || instruction_.json->empty())
        add(instruction_.rest.at(0), "SHELL needs a JSON array of strings",
            R"(write it as SHELL ["/bin/sh", "-c"])");
    } else if (name == "EXPOSE") {
      for (const RawWord& word : split_blanks(text()))
        if (!has_variable(word.text)) check_at(word, [&] { parse_ports(word.text); });
    } else if (name == "STOPSIGNAL") {
      if (!has_variable(text())) parse_stop_signal(text());
    } else if (name == "HEALTHCHECK") {
      parse_healthcheck(instruction_);
    } else if (name == "ONBUILD") {
      check_onbuild();
    } else if (name == "FROM") {
      check_from();
    }
  }

  template <class Check>
  void check_at(const RawWord& word, Check&& check) {
    try {
      check();
    } catch (const os::Error& error) {
      add(instruction_.rest.at(word.offset), error.what());
    }
  }

  void check_copy() {
    const std::size_t count =
        instruction_.json ? instruction_.json->size() : split_blanks(text()).size();
    if (count < 2)
      add(instruction_.rest.at(0), instruction_.name + " needs at least two arguments",
          instruction_.name + " SOURCE… DESTINATION");
    const std::vector<RawWord> words = split_blanks(text());
    if (!instruction_.json && !words.empty() && !instruction_.heredocs.empty() &&
        words.back().text == instruction_.heredocs.back().word)
      add(instruction_.rest.at(words.back().offset), "a heredoc cannot be the destination");
    if (const Flag* from = find_flag(instruction_, "from"))
      if (has_variable(from->value.value_or("")))
        add(from->at, "variables are not allowed in --from",
            "make a stage instead: FROM " + *from->value + " AS base");
    for (const Flag& flag : instruction_.flags) {
      const std::string value = flag.value.value_or("");
      if (flag.name == "chmod" && !value.empty() && !has_variable(value) &&
          !apply_mode(value, 0644, false))
        add(flag.at, "--chmod: '" + value + "' is no mode",
            "an octal number up to 7777, or letters such as u=rwX,go=rX");
      if (flag.name == "exclude" && !pattern_mistake(value).empty())
        add(flag.at, "--exclude: " + pattern_mistake(value));
      if (flag.name == "checksum" && instruction_.json == std::nullopt && !has_variable(value))
        check_checksum(flag, value);
    }
  }

  void check_checksum(const Flag& flag, const std::string& value) {
    const bool git = text().find(".git") != std::string::npos ||
                     text().find("ssh://") != std::string::npos || text().starts_with("git");
    if (git) return;
    const bool good = value.starts_with("sha256:") && value.size() == 71 &&
                      value.find_first_not_of("0123456789abcdef", 7) == std::string::npos;
    if (!good) add(flag.at, "--checksum must be sha256: and 64 hexadecimal digits");
  }

  void check_run() {
    if (text().empty() && !instruction_.json && instruction_.heredocs.empty())
      add(instruction_.at, "RUN needs a command");
    if (instruction_.json && instruction_.json->empty())
      add(instruction_.rest.at(0), "RUN needs a command");
    const Lookup any = [](std::string_view) { return std::optional<std::string>("0"); };
    for (const Flag& flag : instruction_.flags) {
      const std::string value = flag.value.value_or("");
      if (value.empty()) continue;
      if (flag.name == "network" && value != "default" && value != "none" && value != "host")
        add(flag.at, "--network is default, none or host, not '" + value + "'");
      if (flag.name == "security" && value != "sandbox" && value != "insecure")
        add(flag.at, "--security is sandbox or insecure, not '" + value + "'");
      if (flag.name != "mount") continue;
      try {
        parse_run_mount(value, any);
      } catch (const os::Error& error) {
        add(flag.at, std::string("--mount: ") + error.what());
      } catch (const ExpandError& error) {
        add(flag.at, std::string("--mount: ") + error.what());
      }
    }
  }

  void check_onbuild() {
    std::vector<Mistake> inner_mistakes;
    const Instruction inner = parse_instruction(instruction_.rest, escape_, inner_mistakes);
    if (inner.name == "ONBUILD")
      add(inner.at, "ONBUILD cannot hold another ONBUILD");
    else if (inner.name == "FROM" || inner.name == "MAINTAINER")
      add(inner.at, inner.name + " cannot be an ONBUILD trigger");
    else
      check_instruction(inner, escape_, inner_mistakes);
    mistakes_.insert(mistakes_.end(), inner_mistakes.begin(), inner_mistakes.end());
  }

  void check_from() {
    const std::vector<RawWord> words = split_blanks(text());
    if (words.size() == 1) return;
    std::string as = words.size() > 1 ? words[1].text : "";
    for (char& c : as)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (words.size() != 3 || as != "AS") {
      add(instruction_.rest.at(words.size() > 1 ? words[1].offset : 0),
          "FROM takes one argument or three", "FROM IMAGE [AS NAME]");
      return;
    }
    std::string stage = words[2].text;
    for (char& c : stage)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool good =
        stage.front() >= 'a' && stage.front() <= 'z' &&
        stage.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.-") == std::string::npos;
    if (!good)
      add(instruction_.rest.at(words[2].offset),
          "invalid name for a stage: '" + words[2].text + "'",
          "a letter, then letters, digits, '_', '.' and '-'");
  }

  /// Bad substitutions, wherever variables are put in; values play no part.
  void check_substitutions(const std::string& name) {
    static const std::vector<std::string> expanded{"ADD",    "COPY",    "ENV",        "EXPOSE",
                                                   "LABEL",  "USER",    "STOPSIGNAL", "FROM",
                                                   "VOLUME", "WORKDIR", "ARG"};
    if (std::find(expanded.begin(), expanded.end(), name) == expanded.end()) return;
    if (instruction_.json) return;
    const Lookup any = [](std::string_view) { return std::optional<std::string>("x"); };
    const bool quotes =
        name != "ADD" && name != "COPY" && name != "FROM" && name != "VOLUME" && name != "EXPOSE";
    for (const RawWord& word : quotes ? split_quoted(text(), escape_) : split_blanks(text())) {
      try {
        expand_word(word.text, any, {.escape = escape_});
      } catch (const ExpandError& error) {
        add(instruction_.rest.at(word.offset + error.offset()), error.what());
        return;
      }
    }
  }

  const Instruction& instruction_;
  char escape_;
  std::vector<Mistake>& mistakes_;
};

}  // namespace

void check_instruction(const Instruction& instruction, char escape,
                       std::vector<Mistake>& mistakes) {
  Checker(instruction, escape, mistakes).run();
}

void check_dockerfile(Dockerfile& file) {
  bool in_stage = false;
  bool complained = false;
  for (const Instruction& instruction : file.instructions) {
    check_instruction(instruction, file.escape, file.mistakes);
    in_stage |= instruction.name == "FROM";
    if (in_stage || instruction.name == "ARG" || complained || !is_known(instruction.name))
      continue;
    file.mistakes.push_back(
        {instruction.at,
         "no build stage in current context: " + instruction.name + " stands before the first FROM",
         "only ARG may"});
    complained = true;
  }
  if (!in_stage && !file.instructions.empty() && !complained && file.mistakes.empty())
    file.mistakes.push_back({file.instructions.back().at, "there is no FROM", ""});
  std::stable_sort(file.mistakes.begin(), file.mistakes.end(),
                   [](const Mistake& a, const Mistake& b) { return a.at < b.at; });
}

}  // namespace build
