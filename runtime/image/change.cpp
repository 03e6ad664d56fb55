#include "runtime/image/change.hpp"

#include <csignal>
#include <cstring>

#include "runtime/image/duration.hpp"
#include "runtime/image/json.hpp"
#include "runtime/image/words.hpp"
#include "runtime/os/error.hpp"

namespace image {

namespace {

std::string uppercase(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return result;
}

/// The exec form: an array of strings. Nothing when the text is no JSON array at all, for it then
/// is the shell form.
std::optional<std::vector<std::string>> json_form(std::string_view text) {
  if (!text.starts_with('[')) return std::nullopt;
  const Json array = Json::parse(text, nullptr, false);
  if (!array.is_array()) return std::nullopt;
  std::vector<std::string> words;
  for (const Json& element : array) {
    if (!element.is_string()) throw os::Error("the JSON array may hold only strings");
    words.push_back(element.get<std::string>());
  }
  return words;
}

void need(bool condition, const char* message) {
  if (!condition) throw os::Error(message);
}

/// The changes to one configuration, which remember what came before.
class Changes {
 public:
  explicit Changes(ImageConfig& config) : config_(config) {}

  void apply(std::string_view instruction) {
    instruction = trim(instruction);
    const auto end = std::min(instruction.find_first_of(" \t\n"), instruction.size());
    const std::string name = uppercase(instruction.substr(0, end));
    const std::string_view rest = trim(instruction.substr(end));
    for (const auto& [known, method] : kInstructions) {
      if (known != name) continue;
      need(!rest.empty(), "it needs an argument");
      (this->*method)(rest);
      return;
    }
    throw os::Error("only " + known_names() + " can be changed");
  }

 private:
  using Method = void (Changes::*)(std::string_view);

  std::string expanded(std::string_view text) const {
    return expand(text, [this](std::string_view name) -> std::optional<std::string> {
      const std::string prefix = std::string(name) + "=";
      for (const std::string& entry : config_.env)
        if (entry.starts_with(prefix)) return entry.substr(prefix.size());
      return std::nullopt;
    });
  }

  std::vector<std::string> command(std::string_view text) const {
    if (auto words = json_form(text)) return *std::move(words);
    std::vector<std::string> words = config_.shell;
    if (words.empty()) words = {"/bin/sh", "-c"};
    words.emplace_back(text);
    return words;
  }

  void cmd(std::string_view text) {
    config_.cmd = command(text);
    cmd_given_ = true;
  }

  void entrypoint(std::string_view text) {
    config_.entrypoint = command(text);
    if (!cmd_given_) config_.cmd.clear();
  }

  /// `name=value …`, or the old form `name the rest of the line`.
  std::vector<std::pair<std::string, std::string>> pairs(std::string_view text) const {
    std::vector<std::pair<std::string, std::string>> result;
    const std::vector<std::string> words = split_quoted(text);
    if (words.front().find('=') == std::string::npos) {
      need(words.size() > 1, "it needs NAME=VALUE");
      const std::string_view value = trim(text.substr(words.front().size()));
      return {{expanded(words.front()), expanded(value)}};
    }
    for (const std::string& word : words) {
      const auto equals = word.find('=');
      need(equals != std::string::npos, "every word must be NAME=VALUE");
      need(equals > 0, "a name is empty");
      result.emplace_back(expanded(word.substr(0, equals)), expanded(word.substr(equals + 1)));
    }
    return result;
  }

  void env(std::string_view text) {
    for (const auto& [name, value] : pairs(text)) config_.set_env(name, value);
  }

  void label(std::string_view text) {
    for (const auto& [name, value] : pairs(text)) config_.labels[name] = value;
  }

  static int port_number(std::string_view text) {
    need(!text.empty() && text.size() <= 5 &&
             text.find_first_not_of("0123456789") == std::string_view::npos,
         "a port is a number, PORT[-PORT][/tcp|udp|sctp]");
    const int number = std::stoi(std::string(text));
    need(number <= 65535, "a port is at most 65535");
    return number;
  }

  void expose(std::string_view text) {
    for (const std::string& field : split_fields(expanded(text))) {
      const auto slash = field.find('/');
      std::string protocol = slash == std::string::npos ? "tcp" : field.substr(slash + 1);
      for (char& c : protocol)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      need(protocol == "tcp" || protocol == "udp" || protocol == "sctp",
           "a protocol is tcp, udp or sctp");
      const std::string ports = field.substr(0, slash);
      const auto dash = ports.find('-');
      const int first = port_number(ports.substr(0, dash));
      const int last = dash == std::string::npos ? first : port_number(ports.substr(dash + 1));
      need(first <= last, "a range of ports ends before it begins");
      for (int port = first; port <= last; ++port)
        config_.exposed_ports.insert(std::to_string(port) + "/" + protocol);
    }
  }

  void user(std::string_view text) { config_.user = expanded(text); }

  void working_dir(std::string_view text) {
    std::filesystem::path path = config_.working_dir.empty() ? "/" : config_.working_dir;
    path = (std::filesystem::path("/") / path / expanded(text)).lexically_normal();
    config_.working_dir = path.string();
    if (config_.working_dir.size() > 1 && config_.working_dir.back() == '/')
      config_.working_dir.pop_back();
  }

  void volume(std::string_view text) {
    const auto words = json_form(text);
    for (const std::string& word : words ? *words : split_fields(text)) {
      const std::string path = expanded(word);
      need(!path.empty(), "a volume's path is empty");
      config_.volumes.insert(path);
    }
  }

  void stop_signal(std::string_view text) {
    const std::string name = expanded(text);
    need(is_signal(name), "it needs a signal's name or number");
    config_.stop_signal = name;
  }

  static bool is_signal(const std::string& text) {
    if (text.find_first_not_of("0123456789") == std::string::npos)
      return !text.empty() && text.size() <= 2 && std::stoi(text) > 0 && std::stoi(text) <= 64;
    std::string name = uppercase(text);
    if (name.starts_with("SIG")) name.erase(0, 3);
    for (int signal = 1; signal < 32; ++signal) {
      const char* known = ::sigabbrev_np(signal);
      if (known != nullptr && name == known) return true;
    }
    return name.starts_with("RTMIN") || name.starts_with("RTMAX") || name == "IOT" || name == "CLD";
  }

  void on_build(std::string_view text) {
    const std::string trigger = uppercase(text.substr(0, text.find_first_of(" \t")));
    need(trigger != "ONBUILD" && trigger != "FROM" && trigger != "MAINTAINER",
         "ONBUILD, FROM and MAINTAINER are no triggers");
    config_.on_build.emplace_back(text);
  }

  void shell(std::string_view text) {
    const auto words = json_form(text);
    need(words && !words->empty(), "it needs a JSON array of strings");
    config_.shell = *words;
  }

  void healthcheck(std::string_view text) {
    Healthcheck check;
    while (text.starts_with("--")) {
      const auto end = std::min(text.find_first_of(" \t"), text.size());
      healthcheck_option(check, text.substr(2, end - 2));
      text = trim(text.substr(end));
    }
    const auto end = std::min(text.find_first_of(" \t"), text.size());
    const std::string kind = uppercase(text.substr(0, end));
    const std::string_view rest = trim(text.substr(end));
    if (kind == "NONE") {
      need(rest.empty(), "NONE takes no arguments");
      check.test = {"NONE"};
    } else {
      need(kind == "CMD", "it needs NONE or CMD");
      need(!rest.empty(), "CMD needs a command");
      if (auto words = json_form(rest)) {
        check.test = *std::move(words);
        check.test.insert(check.test.begin(), "CMD");
      } else {
        check.test = {"CMD-SHELL", std::string(rest)};
      }
    }
    config_.healthcheck = check;
  }

  static void healthcheck_option(Healthcheck& check, std::string_view option) {
    const auto equals = option.find('=');
    need(equals != std::string_view::npos, "an option is --NAME=VALUE");
    const std::string_view name = option.substr(0, equals);
    const std::string value(option.substr(equals + 1));
    if (name == "retries") {
      need(!value.empty() && value.size() < 10 &&
               value.find_first_not_of("0123456789") == std::string::npos,
           "--retries is a number");
      check.retries = std::stoi(value);
      return;
    }
    const auto duration = parse_go_duration(value);
    need(duration.has_value(), "a duration is written like 1m30s");
    need(duration->count() == 0 || *duration >= std::chrono::milliseconds(1),
         "a duration is 0 or at least 1ms");
    if (name == "interval") {
      check.interval = *duration;
    } else if (name == "timeout") {
      check.timeout = *duration;
    } else if (name == "start-period") {
      check.start_period = *duration;
    } else if (name == "start-interval") {
      check.start_interval = *duration;
    } else {
      throw os::Error(
          "its options are --interval --timeout --start-period --start-interval --retries");
    }
  }

  static std::string known_names() {
    std::string names;
    for (const auto& [name, method] : kInstructions)
      names += (names.empty() ? "" : " ") + std::string(name);
    return names;
  }

  static const std::array<std::pair<std::string_view, Method>, 12> kInstructions;
  ImageConfig& config_;
  bool cmd_given_ = false;
};

const std::array<std::pair<std::string_view, Changes::Method>, 12> Changes::kInstructions{
    {{"CMD", &Changes::cmd},
     {"ENTRYPOINT", &Changes::entrypoint},
     {"ENV", &Changes::env},
     {"EXPOSE", &Changes::expose},
     {"HEALTHCHECK", &Changes::healthcheck},
     {"LABEL", &Changes::label},
     {"ONBUILD", &Changes::on_build},
     {"SHELL", &Changes::shell},
     {"STOPSIGNAL", &Changes::stop_signal},
     {"USER", &Changes::user},
     {"VOLUME", &Changes::volume},
     {"WORKDIR", &Changes::working_dir}}};

}  // namespace

void apply_changes(ImageConfig& config, const std::vector<std::string>& instructions) {
  Changes changes(config);
  for (const std::string& instruction : instructions) {
    try {
      changes.apply(instruction);
    } catch (const os::Error& error) {
      throw error.in("change '" + instruction + "'");
    }
  }
}

}  // namespace image
