// Arguments of a command: options first, the rest in order.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace monitor {

/// A mistake in how a command was called.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Which options a command has, by all their names: {"bundle", "b"}.
struct OptionNames {
  std::vector<std::vector<std::string_view>> with_value;
  std::vector<std::vector<std::string_view>> flags;
};

class CommandLine {
 public:
  /// Takes "--name value", "--name=value", "-n value", "--flag" and "--flag=false" from
  /// `arguments`, up to the first word that is no option when `stop_at_word`. "--" ends the
  /// options. Throws UsageError.
  static CommandLine parse(const std::vector<std::string>& arguments, const OptionNames& names,
                           bool stop_at_word);

  /// The last value given to an option, by the first of its names.
  std::optional<std::string> value(std::string_view name) const;
  std::string value_or(std::string_view name, std::string fallback) const;
  /// Throws UsageError when it was not given.
  std::string required(std::string_view name) const;
  /// Every value given to it.
  std::vector<std::string> values(std::string_view name) const;
  bool flag(std::string_view name) const { return flags_.contains(std::string(name)); }
  const std::vector<std::string>& words() const noexcept { return words_; }
  /// Word `index`; throws UsageError that says what is missing.
  const std::string& word(std::size_t index, const char* what) const;

 private:
  std::map<std::string, std::vector<std::string>> values_;
  std::set<std::string> flags_;
  std::vector<std::string> words_;
};

/// A number in the range of the type; throws UsageError.
std::uint64_t parse_number(const std::string& text, std::string_view name);

}  // namespace monitor
