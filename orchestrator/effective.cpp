#include "orchestrator/effective.hpp"

#include <csignal>

#include "manifests/values.hpp"
#include "runtime/container/bundle.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/signal.hpp"

namespace orchestrator {

std::vector<std::string> effective_arguments(const manifests::Service& service,
                                             const image::ImageConfig& image) {
  std::vector<std::string> arguments = service.entrypoint.value_or(image.entrypoint);
  if (service.command)
    arguments.insert(arguments.end(), service.command->begin(), service.command->end());
  else if (!service.entrypoint)  // an entrypoint of the service's own drops the image's arguments
    arguments.insert(arguments.end(), image.cmd.begin(), image.cmd.end());
  if (arguments.empty())
    throw os::Error("no command specified: neither the service nor its image says what to run");
  return arguments;
}

namespace {

/// Variables in the order they were first set.
class Variables {
 public:
  void set(const std::string& name, const std::string& value) {
    for (auto& [known, old] : variables_) {
      if (known != name) continue;
      old = value;
      return;
    }
    variables_.emplace_back(name, value);
  }
  void erase(const std::string& name) {
    std::erase_if(variables_, [&](const auto& variable) { return variable.first == name; });
  }
  bool has(const std::string& name) const {
    return std::any_of(variables_.begin(), variables_.end(),
                       [&](const auto& variable) { return variable.first == name; });
  }
  std::vector<std::string> list() const {
    std::vector<std::string> list;
    for (const auto& [name, value] : variables_) list.push_back(name + "=" + value);
    return list;
  }

 private:
  std::vector<std::pair<std::string, std::string>> variables_;
};

}  // namespace

std::vector<std::string> effective_environment(const manifests::Service& service,
                                               const image::ImageConfig& image,
                                               const std::string& hostname,
                                               const std::string& home) {
  Variables variables;
  const std::string path(container::kDefaultPath);
  variables.set("PATH", path.substr(path.find('=') + 1));
  variables.set("HOSTNAME", hostname);
  if (service.tty) variables.set("TERM", "xterm");
  for (const std::string& variable : image.env) {
    const auto equals = variable.find('=');
    if (equals != std::string::npos)
      variables.set(variable.substr(0, equals), variable.substr(equals + 1));
  }
  for (const auto& [name, value] : service.environment) {
    if (value)
      variables.set(name, *value);
    else
      variables.erase(name);
  }
  if (!variables.has("HOME")) variables.set("HOME", home);
  return variables.list();
}

int effective_stop_signal(const manifests::Service& service, const image::ImageConfig& image) {
  const std::string& name = service.stop_signal.empty() ? image.stop_signal : service.stop_signal;
  if (name.empty()) return SIGTERM;
  const auto number = os::signal_number(name);
  if (!number) throw os::Error("invalid signal: " + name);
  return *number;
}

LogLimits effective_log_limits(const manifests::Service& service) {
  LogLimits limits;
  if (!service.logging) return limits;
  const auto given = [&](const char* name) -> std::optional<std::string> {
    const auto found = service.logging->options.find(name);
    return found == service.logging->options.end() ? std::nullopt : std::optional(found->second);
  };
  const auto refuse = [](const std::string& name, const std::string& text, const char* wanted) {
    return os::Error("logging option " + name + ": '" + text + "' is no " + wanted);
  };
  if (const auto size = given("max-size"); size && *size != "-1") {
    const auto bytes = manifests::parse_bytes(*size);
    if (!std::holds_alternative<manifests::Bytes>(bytes) ||
        std::get<manifests::Bytes>(bytes).value <= 0)
      throw refuse("max-size", *size, "size: write 10m, 1g or -1");
    limits.max_size = static_cast<std::uint64_t>(std::get<manifests::Bytes>(bytes).value);
  }
  if (const auto files = given("max-file")) {
    constexpr std::int64_t kMost = 10'000;
    const auto number = manifests::parse_integer(*files);
    const auto* count = std::get_if<std::int64_t>(&number);
    if (count == nullptr || *count < 1 || *count > kMost)
      throw refuse("max-file", *files, "number of files, 1 or more");
    limits.max_files = static_cast<unsigned>(*count);
  }
  return limits;
}

namespace {

template <class Value>
void take(Value& target, const std::optional<Value>& given, Value from_image) {
  if (given && *given != Value{})
    target = *given;
  else if (from_image != Value{})
    target = from_image;
}

std::vector<std::string> probe_arguments(const std::vector<std::string>& test,
                                         const std::vector<std::string>& image_shell) {
  if (test.size() < 2) return {};
  if (test.front() == "CMD") return {test.begin() + 1, test.end()};
  if (test.front() != "CMD-SHELL") return {};
  std::vector<std::string> arguments = image_shell;
  if (arguments.empty()) arguments = {"/bin/sh", "-c"};
  arguments.push_back(test[1]);
  return arguments;
}

}  // namespace

std::optional<HealthCheck> effective_health_check(const manifests::Service& service,
                                                  const image::ImageConfig& image) {
  const manifests::Healthcheck given = service.healthcheck.value_or(manifests::Healthcheck{});
  const image::Healthcheck base = image.healthcheck.value_or(image::Healthcheck{});
  if (given.disabled()) return std::nullopt;
  HealthCheck check;
  check.arguments = probe_arguments(given.test.empty() ? base.test : given.test, image.shell);
  if (check.arguments.empty()) return std::nullopt;
  take<Duration>(check.timing.interval, given.interval, base.interval);
  take<Duration>(check.timing.timeout, given.timeout, base.timeout);
  take<Duration>(check.timing.start_period, given.start_period, base.start_period);
  take<Duration>(check.timing.start_interval, given.start_interval, base.start_interval);
  std::uint64_t retries = 0;
  take<std::uint64_t>(retries, given.retries, static_cast<std::uint64_t>(base.retries));
  if (retries > 0)
    check.timing.retries = static_cast<int>(std::min<std::uint64_t>(retries, 1 << 20));
  return check;
}

}  // namespace orchestrator
