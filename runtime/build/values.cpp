#include "runtime/build/values.hpp"

#include <sys/stat.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "runtime/image/duration.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/signal.hpp"

namespace build {

namespace {

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

int port_number(std::string_view text) {
  int number = -1;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size() || number < 0 ||
      number > 65535)
    throw os::Error("'" + std::string(text) +
                    "' is no port: PORT[-PORT][/tcp|udp|sctp], at most 65535");
  return number;
}

void set_duration(std::chrono::nanoseconds& value, const Flag& flag) {
  const auto duration = image::parse_go_duration(flag.value.value_or(""));
  if (!duration)
    throw os::Error("--" + flag.name + ": '" + flag.value.value_or("") +
                    "' is no duration such as 30s or 1m30s");
  if (duration->count() != 0 && *duration < std::chrono::milliseconds(1))
    throw os::Error("--" + flag.name + " must be 0 or at least 1ms");
  value = *duration;
}

void set_health_flag(image::Healthcheck& check, const Flag& flag) {
  if (flag.name == "interval") set_duration(check.interval, flag);
  if (flag.name == "timeout") set_duration(check.timeout, flag);
  if (flag.name == "start-period") set_duration(check.start_period, flag);
  if (flag.name == "start-interval") set_duration(check.start_interval, flag);
  if (flag.name != "retries") return;
  const std::string text = flag.value.value_or("");
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), check.retries);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size() ||
      check.retries < 0)
    throw os::Error("--retries must be a number, not '" + text + "'");
}

/// The bits that letters such as "rwX" stand for, in the lowest three and the special bits.
struct Permissions {
  mode_t bits = 0;
  bool set_id = false;
  bool sticky = false;
};

std::optional<Permissions> permissions_of(std::string_view letters, mode_t mode,
                                          bool is_directory) {
  Permissions result;
  for (const char c : letters) {
    switch (c) {
      case 'r':
        result.bits |= 4;
        break;
      case 'w':
        result.bits |= 2;
        break;
      case 'x':
        result.bits |= 1;
        break;
      case 'X':
        if (is_directory || (mode & 0111) != 0) result.bits |= 1;
        break;
      case 's':
        result.set_id = true;
        break;
      case 't':
        result.sticky = true;
        break;
      case 'u':
        result.bits |= (mode >> 6) & 7;
        break;
      case 'g':
        result.bits |= (mode >> 3) & 7;
        break;
      case 'o':
        result.bits |= mode & 7;
        break;
      default:
        return std::nullopt;
    }
  }
  return result;
}

/// "+x", "=rX" for the letters of `who`.
std::optional<mode_t> apply_operation(std::string_view operation, std::string_view who, mode_t mode,
                                      bool is_directory) {
  const auto wanted = permissions_of(operation.substr(1), mode, is_directory);
  if (!wanted) return std::nullopt;
  mode_t bits = 0;
  mode_t mask = 0;
  for (const auto& [letter, shift, special] :
       {std::tuple{'u', 6, S_ISUID}, std::tuple{'g', 3, S_ISGID}, std::tuple{'o', 0, 0}}) {
    if (who.find(letter) == std::string_view::npos) continue;
    bits |= wanted->bits << shift;
    mask |= static_cast<mode_t>(7) << shift;
    if (wanted->set_id) bits |= static_cast<mode_t>(special);
    mask |= static_cast<mode_t>(special);
  }
  if (wanted->sticky && who != "o") bits |= S_ISVTX;  // others alone have no such bit
  if (operation.front() == '+') return mode | bits;
  if (operation.front() == '-') return mode & ~bits;
  return (mode & ~mask) | bits;
}

/// One of "u+x", "go=rX", "u+r-x".
std::optional<mode_t> apply_clause(std::string_view clause, mode_t mode, bool is_directory) {
  const auto operation = clause.find_first_of("+-=");
  if (operation == std::string_view::npos) return std::nullopt;
  std::string_view who = clause.substr(0, operation);
  if (who.find_first_not_of("ugoa") != std::string_view::npos) return std::nullopt;
  if (who.empty() || who.find('a') != std::string_view::npos) who = "ugo";
  clause.remove_prefix(operation);
  while (!clause.empty()) {
    const auto end = std::min(clause.find_first_of("+-=", 1), clause.size());
    const auto changed = apply_operation(clause.substr(0, end), who, mode, is_directory);
    if (!changed) return std::nullopt;
    mode = *changed;
    clause.remove_prefix(end);
  }
  return mode;
}

}  // namespace

CommandForm command_form(std::string_view text,
                         const std::optional<std::vector<std::string>>& json) {
  if (json) return {.shell = false, .words = *json};
  return {.shell = true, .words = {std::string(text)}};
}

std::vector<std::pair<std::string, std::string>> split_pairs(std::string_view text, char escape) {
  const std::vector<RawWord> words = split_quoted(text, escape);
  if (words.empty()) throw os::Error("it needs NAME=VALUE");
  if (words.front().text.find('=') == std::string::npos) {
    if (words.size() < 2) throw os::Error("it needs NAME=VALUE");
    const std::string_view value = trim(text.substr(words[0].offset + words[0].text.size()));
    return {{words.front().text, std::string(value)}};
  }
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const RawWord& word : words) {
    const auto equals = word.text.find('=');
    if (equals == std::string::npos)
      throw os::Error("'" + word.text + "' has no '=': every word must be NAME=VALUE");
    if (equals == 0) throw os::Error("'" + word.text + "': the name is empty");
    pairs.emplace_back(word.text.substr(0, equals), word.text.substr(equals + 1));
  }
  return pairs;
}

std::vector<Argument> split_arguments(std::string_view text, char escape) {
  std::vector<Argument> arguments;
  for (const RawWord& word : split_quoted(text, escape)) {
    const auto equals = word.text.find('=');
    Argument argument{.name = word.text.substr(0, equals), .value = std::nullopt};
    if (equals != std::string::npos) argument.value = word.text.substr(equals + 1);
    if (argument.name.empty()) throw os::Error("'" + word.text + "': the name is empty");
    arguments.push_back(std::move(argument));
  }
  if (arguments.empty()) throw os::Error("it needs NAME or NAME=DEFAULT");
  return arguments;
}

std::vector<std::string> parse_ports(std::string_view text) {
  const auto slash = text.find('/');
  std::string protocol(slash == std::string_view::npos ? "tcp" : text.substr(slash + 1));
  for (char& c : protocol)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp")
    throw os::Error("'" + std::string(text) + "': the protocol is tcp, udp or sctp");
  std::string_view ports = text.substr(0, slash);
  // An address and a port of the host mean nothing to an image.
  if (const auto colon = ports.rfind(':'); colon != std::string_view::npos)
    ports = ports.substr(colon + 1);
  const auto dash = ports.find('-');
  const int first = port_number(ports.substr(0, dash));
  const int last = dash == std::string_view::npos ? first : port_number(ports.substr(dash + 1));
  if (last < first) throw os::Error("'" + std::string(text) + "': the range ends before it begins");
  std::vector<std::string> result;
  for (int port = first; port <= last; ++port)
    result.push_back(std::to_string(port) + "/" + protocol);
  return result;
}

std::string parse_stop_signal(std::string_view text) {
  const auto number = os::signal_number(text);
  if (!number || *number <= 0)
    throw os::Error("'" + std::string(text) +
                    "' is no signal: a name such as SIGTERM, or a number");
  return std::string(text);
}

image::Healthcheck parse_healthcheck(const Instruction& instruction) {
  image::Healthcheck check;
  std::string_view text = instruction.rest.text();
  const auto end = std::min(text.find_first_of(" \t"), text.size());
  std::string kind(text.substr(0, end));
  for (char& c : kind)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  text = trim(text.substr(end));
  if (kind == "NONE") {
    if (!text.empty() || !instruction.flags.empty())
      throw os::Error("HEALTHCHECK NONE takes no arguments");
    check.test = {"NONE"};
    return check;
  }
  if (kind != "CMD")
    throw os::Error("unknown type '" + kind + "' of HEALTHCHECK: use NONE, or CMD and a command");
  if (text.empty()) throw os::Error("HEALTHCHECK CMD needs a command");
  for (const Flag& flag : instruction.flags) set_health_flag(check, flag);
  const auto array = nlohmann::json::parse(text, nullptr, false);
  if (text.front() == '[' && array.is_array()) {
    check.test = {"CMD"};
    for (const auto& word : array) {
      if (!word.is_string()) throw os::Error("the JSON array may hold only strings");
      check.test.push_back(word.get<std::string>());
    }
    if (check.test.size() == 1) throw os::Error("HEALTHCHECK CMD needs a command");
  } else {
    check.test = {"CMD-SHELL", std::string(text)};
  }
  return check;
}

std::optional<mode_t> apply_mode(std::string_view text, mode_t mode, bool is_directory) {
  if (text.empty()) return std::nullopt;
  if (text.find_first_not_of("01234567") == std::string_view::npos) {
    mode_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
    return failed != std::errc() || value > 07777 ? std::nullopt : std::optional(value);
  }
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    const auto changed = apply_clause(text.substr(0, end), mode, is_directory);
    if (!changed) return std::nullopt;
    mode = *changed;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return mode;
}

}  // namespace build
