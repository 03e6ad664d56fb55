// The flags and arguments of one command: declared, parsed, and explained by `--help`. The parser
// behind it (CLI11) shows nowhere else.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace cli {

/// The command line makes no sense. Ends the program with code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Declare, then parse() once; the values that were bound are set by it.
class CommandLine {
 public:
  /// `name` as it is called ("stack up"), `words` what followed it.
  CommandLine(std::string name, std::string summary, std::vector<std::string> words);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// `names` are "-d,--detach"; `type` is the word that stands for the value in help.
  void flag(const char* names, bool& value, const char* help);
  void option(const char* names, std::string& value, const char* type, const char* help);
  void option(const char* names, std::optional<std::string>& value, const char* type,
              const char* help);
  void option(const char* names, int& value, const char* type, const char* help);
  /// May be repeated, one value each time.
  void list(const char* names, std::vector<std::string>& values, const char* type,
            const char* help);
  /// What is no flag; `usage` as help shows it ("[SERVICE...]").
  void arguments(const char* usage, std::vector<std::string>& values, std::size_t least = 0,
                 std::size_t most = SIZE_MAX);
  /// The same, but all flags end at the first of them: what follows is another program's.
  void command(const char* usage, std::vector<std::string>& values, std::size_t least);
  /// A line of help that teaches.
  void example(const char* line, const char* meaning);

  enum class Help { print, leave };
  /// False when help was asked for, and printed unless it is left to the caller. Throws UsageError.
  [[nodiscard]] bool parse(Help help = Help::print);

  const std::string& name() const { return name_; }
  /// What the command does, in a line.
  const std::string& summary() const { return summary_; }
  /// Whether the flag was given at all; `name` is one of its names.
  bool given(const char* name) const;
  /// The text that `--help` prints.
  std::string help_text() const;

 private:
  struct Parser;
  struct Declared {
    std::string names;
    std::string type;
    std::string help;
  };
  void take_arguments(const std::vector<std::string>& rest);
  std::string unknown_flag(const std::string& word) const;

  std::string name_;
  std::string summary_;
  std::vector<std::string> words_;
  std::unique_ptr<Parser> parser_;
  std::vector<Declared> declared_;
  std::vector<std::pair<std::string, std::string>> examples_;
  std::string usage_;
  std::vector<std::string>* arguments_ = nullptr;
  std::size_t least_ = 0;
  std::size_t most_ = 0;
};

}  // namespace cli
