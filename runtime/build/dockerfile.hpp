// From the bytes of a Dockerfile to its instructions: directives, comments, continued lines, flags,
// JSON forms, heredocs. What the instructions mean is not known here. Pure; works on any bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/build/mistake.hpp"
#include "runtime/build/positioned_text.hpp"

namespace build {

/// The largest Dockerfile that is read.
inline constexpr std::size_t kMaxDockerfile = 4 * 1024 * 1024;

/// `<<[-]NAME` and the lines up to NAME.
struct Heredoc {
  std::string name;         ///< without quotes
  std::string content;      ///< with the end of each line
  bool expand = true;       ///< no part of the name was quoted
  bool strip_tabs = false;  ///< `<<-`: `content` has lost its leading tabs already
  std::string word;         ///< as it stands in the instruction: "<<-'EOF'"
  Position at;
};

/// `--name[=value]`; quotes are removed.
struct Flag {
  std::string name;
  std::optional<std::string> value;
  Position at;
};

struct Instruction {
  std::string name;  ///< in capitals
  Position at;       ///< of the name
  std::size_t last_line = 0;
  std::vector<Flag> flags;
  PositionedText rest;  ///< what follows name and flags, lines joined, blanks at both ends gone
  std::optional<std::vector<std::string>> json;  ///< `rest`, where it is an array of strings
  std::vector<Heredoc> heredocs;
  std::string original;  ///< name and all that follows, lines joined
};

/// `# name=value` above everything else.
struct Directive {
  std::string name;  ///< in small letters
  std::string value;
  Position at;
};

struct Dockerfile {
  std::string text;  ///< of the file, for messages
  char escape = '\\';
  std::vector<Directive> directives;
  std::vector<Instruction> instructions;
  std::vector<Mistake> mistakes;
  std::vector<Mistake> warnings;
};

/// Reads all of `text`; what is wrong is among the mistakes and the rest is read all the same.
Dockerfile parse_dockerfile(std::string_view text);

/// Reads one instruction whose lines are joined: what ONBUILD holds, without heredoc bodies.
Instruction parse_instruction(const PositionedText& line, char escape,
                              std::vector<Mistake>& mistakes);

/// The heredocs that the words of an instruction begin, without content.
std::vector<Heredoc> find_heredocs(const PositionedText& rest);

/// The tree as text, `(name "--flag" "argument"…)` a line; for tests.
std::string dump(const Dockerfile& file);

}  // namespace build
