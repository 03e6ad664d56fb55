#include "runtime/image/credential_store.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

#include "runtime/image/json.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/process.hpp"

namespace image {

namespace {

constexpr std::chrono::seconds kHelperTime{30};
constexpr std::size_t kPipeHolds = 64 * 1024;  // pipe(7)
constexpr std::size_t kMaxAnswer = 256 * 1024;

/// What a helper program said.
struct Answer {
  int code = 0;
  std::string text;
};

std::optional<AuthFile> read_auth_file(const std::string& path) {
  const auto text = os::read_file_if_exists(path);
  if (!text || text->empty()) return std::nullopt;
  try {
    return parse_auth_file(*text);
  } catch (const os::Error& error) {
    throw error.in("'" + path + "'");
  }
}

std::string find_program(const std::string& name, const std::string& path) {
  if (name.find('/') != std::string::npos)
    throw os::Error("'" + name + "' is no name of a credential helper");
  std::string_view rest = path;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(':'), rest.size());
    const std::string candidate = std::string(rest.substr(0, end)) + "/" + name;
    if (candidate.front() == '/' && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  throw os::Error("credential helper '" + name + "' is not in PATH");
}

/// Everything the program writes, until it closes its end or its time is over.
std::string read_answer(int fd, const std::string& program) {
  const auto deadline = std::chrono::steady_clock::now() + kHelperTime;
  std::string text;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd wait{fd, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) == 0)
      throw os::Error(ETIMEDOUT, "wait for credential helper '" + program + "'");
    char buffer[4096];
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    os::check(n, [&] { return "read from credential helper '" + program + "'"; });
    if (n == 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > kMaxAnswer) throw os::Error(EFBIG, "read from '" + program + "'");
  }
}

Answer run_helper(const std::string& helper, const char* verb, const std::string& input,
                  const std::map<std::string, std::string>& environment) {
  const std::string name = "docker-credential-" + helper;
  const auto path = environment.find("PATH");
  os::Pipe in = os::make_pipe();
  os::Pipe out = os::make_pipe();
  os::SpawnOptions options;
  options.executable = find_program(name, path == environment.end() ? "" : path->second);
  options.arguments = {name, verb};
  options.environment.emplace();
  for (const auto& [key, value] : environment) options.environment->push_back(key + "=" + value);
  options.descriptors = {{in.read.get(), 0}, {out.write.get(), 1}};
  // Written while we hold the other end: a helper need not listen.
  if (input.size() > kPipeHolds)
    throw os::Error(EFBIG, "write to credential helper '" + name + "'");
  os::write_all(in.write.get(), input, name);
  os::Child child = os::spawn(options);
  in.read.reset();
  in.write.reset();
  out.write.reset();
  Answer answer;
  answer.text = read_answer(out.read.get(), name);
  answer.code = child.wait().code;
  return answer;
}

bool means_none(const Answer& answer) {
  return answer.text.find("credentials not found") != std::string::npos;
}

std::string first_line(const std::string& text) {
  return text.substr(0, std::min<std::size_t>(text.find('\n'), 200));
}

}  // namespace

CredentialStore::CredentialStore(Environment environment,
                                 std::function<void(const std::string&)> warn)
    : environment_(std::move(environment)), warn_(std::move(warn)) {}

std::string CredentialStore::variable(const char* name) const {
  const auto found = environment_.find(name);
  return found == environment_.end() ? std::string() : found->second;
}

std::string CredentialStore::docker_file() const {
  if (const std::string given = variable("DOCKER_CONFIG"); !given.empty())
    return given + "/config.json";
  return variable("HOME") + "/.docker/config.json";
}

std::vector<std::string> CredentialStore::container_files() const {
  std::vector<std::string> files;
  if (const std::string given = variable("REGISTRY_AUTH_FILE"); !given.empty())
    files.push_back(given);
  if (const std::string run = variable("XDG_RUNTIME_DIR"); !run.empty())
    files.push_back(run + "/containers/auth.json");
  if (const std::string home = variable("HOME"); !home.empty())
    files.push_back(home + "/.config/containers/auth.json");
  return files;
}

std::optional<Credentials> CredentialStore::ask(const std::string& helper,
                                                const std::string& host) const {
  try {
    const Answer answer = run_helper(helper, "get", docker_auth_key(host), environment_);
    if (answer.code == 0) return parse_helper_answer(answer.text);
    if (means_none(answer)) return std::nullopt;
    throw os::Error("docker-credential-" + helper + " ended with " + std::to_string(answer.code) +
                    ": " + first_line(answer.text));
  } catch (const os::Error& error) {
    // Public images need nobody's name: whether this matters shows when the registry asks.
    if (warn_) warn_("no credentials for " + host + ": " + error.what());
    return std::nullopt;
  }
}

std::optional<Credentials> CredentialStore::find(const std::string& host,
                                                 const std::string& path) const {
  if (const std::string text = variable("DOCKER_AUTH_CONFIG"); !text.empty()) {
    try {
      if (auto found = parse_auth_file(text).find(host, path)) return found;
    } catch (const os::Error& error) {
      throw error.in("DOCKER_AUTH_CONFIG");
    }
  }
  if (const auto file = read_auth_file(docker_file())) {
    if (const std::string helper = file->helper_for(host); !helper.empty())
      if (auto found = ask(helper, host)) return found;
    if (auto found = file->find(host, path)) return found;
  }
  for (const std::string& name : container_files())
    if (const auto file = read_auth_file(name))
      if (auto found = file->find(host, path)) return found;
  return std::nullopt;
}

std::string CredentialStore::store(const std::string& host, const Credentials& credentials) const {
  const std::string path = docker_file();
  const auto file = read_auth_file(path);
  if (const std::string helper = file ? file->helper_for(host) : ""; !helper.empty()) {
    const bool token = !credentials.identity_token.empty();
    const Json input = {{"ServerURL", docker_auth_key(host)},
                        {"Username", token ? "<token>" : credentials.username},
                        {"Secret", token ? credentials.identity_token : credentials.password}};
    const Answer answer = run_helper(helper, "store", input.dump(), environment_);
    if (answer.code != 0)
      throw os::Error("docker-credential-" + helper +
                      " does not keep the credentials: " + first_line(answer.text));
    return "docker-credential-" + helper;
  }
  os::make_directories(path.substr(0, path.rfind('/')), 0700);
  os::write_file_atomic(
      path, edit_auth_file(os::read_file_if_exists(path).value_or(""), host, credentials), 0600,
      os::Durability::synced);
  return path;
}

bool CredentialStore::erase(const std::string& host) const {
  const std::string path = docker_file();
  const auto file = read_auth_file(path);
  if (!file) return false;
  bool known = false;
  if (const std::string helper = file->helper_for(host); !helper.empty()) {
    const Answer answer = run_helper(helper, "erase", docker_auth_key(host), environment_);
    if (answer.code != 0 && !means_none(answer))
      throw os::Error("docker-credential-" + helper +
                      " does not forget the credentials: " + first_line(answer.text));
    known = answer.code == 0;
  }
  if (file->auths.contains(host)) {
    os::write_file_atomic(path, edit_auth_file(os::read_file(path), host, std::nullopt), 0600,
                          os::Durability::synced);
    known = true;
  }
  return known;
}

}  // namespace image
