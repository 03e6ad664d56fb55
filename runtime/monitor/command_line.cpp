#include "runtime/monitor/command_line.hpp"

#include <algorithm>
#include <charconv>

namespace monitor {

namespace {

/// The first name of the option that is also called `name`; empty when there is none.
std::string canonical(const std::vector<std::vector<std::string_view>>& options,
                      std::string_view name) {
  for (const auto& names : options)
    if (std::find(names.begin(), names.end(), name) != names.end())
      return std::string(names.front());
  return {};
}

}  // namespace

CommandLine CommandLine::parse(const std::vector<std::string>& arguments, const OptionNames& names,
                               bool stop_at_word) {
  CommandLine line;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const bool is_option = argument.size() > 1 && argument.front() == '-';
    if (argument == "--" || (!is_option && stop_at_word)) {
      const auto rest = static_cast<std::ptrdiff_t>(argument == "--" ? i + 1 : i);
      line.words_.insert(line.words_.end(), arguments.begin() + rest, arguments.end());
      return line;
    }
    if (!is_option) {
      line.words_.push_back(argument);
      continue;
    }
    const std::string stripped = argument.substr(argument.starts_with("--") ? 2 : 1);
    const auto equals = stripped.find('=');
    const std::string name = stripped.substr(0, equals);
    if (const std::string flag = canonical(names.flags, name); !flag.empty()) {
      const std::string given = equals == std::string::npos ? "true" : stripped.substr(equals + 1);
      if (given != "true" && given != "false")
        throw UsageError("option '" + argument + "' is true or false");
      if (given == "true") line.flags_.insert(flag);
      if (given == "false") line.flags_.erase(flag);
      continue;
    }
    const std::string option = canonical(names.with_value, name);
    if (option.empty()) throw UsageError("unknown option '" + argument + "'");
    if (equals == std::string::npos && i + 1 == arguments.size())
      throw UsageError("option '" + argument + "' needs a value");
    line.values_[option].push_back(equals != std::string::npos ? stripped.substr(equals + 1)
                                                               : arguments[++i]);
  }
  return line;
}

std::optional<std::string> CommandLine::value(std::string_view name) const {
  const auto found = values_.find(std::string(name));
  if (found == values_.end()) return std::nullopt;
  return found->second.back();
}

std::string CommandLine::value_or(std::string_view name, std::string fallback) const {
  return value(name).value_or(std::move(fallback));
}

std::string CommandLine::required(std::string_view name) const {
  if (auto given = value(name)) return std::move(*given);
  throw UsageError("option '--" + std::string(name) + "' is missing");
}

std::vector<std::string> CommandLine::values(std::string_view name) const {
  const auto found = values_.find(std::string(name));
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

const std::string& CommandLine::word(std::size_t index, const char* what) const {
  if (index >= words_.size()) throw UsageError(std::string(what) + " is missing");
  return words_[index];
}

std::uint64_t parse_number(const std::string& text, std::string_view name) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size())
    throw UsageError("option '--" + std::string(name) + "': '" + text + "' is not a number");
  return number;
}

}  // namespace monitor
