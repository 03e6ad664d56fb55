// `login` and `logout`: who we are to a registry.
#include <termios.h>
#include <unistd.h>

#include <iostream>

#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/registry_session.hpp"
#include "runtime/image/credential_store.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/fd.hpp"

namespace cli {

namespace {

constexpr std::size_t kMaxSecret = 64 * 1024;

/// What is typed is not shown while this lives.
class NoEcho {
 public:
  NoEcho() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  ~NoEcho() {
    if (changed_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }

 private:
  termios before_{};
  bool changed_ = false;
};

std::string ask(const std::string& question) {
  write_err(question);
  std::string answer;
  if (!std::getline(std::cin, answer) || answer.empty()) throw os::Error("nothing was entered");
  return answer;
}

std::string read_password(bool from_input) {
  if (from_input) {
    std::string password = os::read_all(STDIN_FILENO, kMaxSecret, "standard input");
    while (!password.empty() && (password.back() == '\n' || password.back() == '\r'))
      password.pop_back();
    return password;
  }
  if (::isatty(STDIN_FILENO) != 1)
    throw UsageError("standard input is no terminal: give --username and --password-stdin");
  std::string password;
  {
    const NoEcho silent;
    password = ask("Password: ");
  }
  write_err("\n");
  return password;
}

/// The host of what people write: "localhost:5000", "https://index.docker.io/v1/".
std::string registry_host(const std::vector<std::string>& words) {
  const std::string host = words.empty() ? "docker.io" : image::normal_auth_key(words.front());
  if (host.find('/') != std::string::npos || host.find_first_of(" \t\r\n") != std::string::npos)
    throw os::Error("'" + words.front() + "' is no registry: give its host, as in localhost:5000");
  return host;
}

}  // namespace

int login(Invocation& invocation) {
  std::vector<std::string> words;
  image::Credentials credentials;
  bool from_input = false;
  CommandLine& line = invocation.line;
  line.option("-u,--username", credentials.username, "NAME", "Who we are");
  line.option("-p,--password", credentials.password, "SECRET",
              "The password; it shows in the list of processes");
  line.flag("--password-stdin", from_input, "Read the password from standard input");
  line.arguments("[HOST]", words, 0, 1);
  line.example("stack login localhost:5000", "asks for name and password");
  line.example("stack login -u me --password-stdin ghcr.io <token", "for scripts");
  if (!line.parse()) return 0;
  if (from_input && !credentials.password.empty())
    throw UsageError("--password and --password-stdin are incompatible");
  if (from_input && credentials.username.empty())
    throw UsageError("--password-stdin needs --username");
  const std::string host = registry_host(words);
  if (!credentials.password.empty())
    print_warning("--password on the command line can be read by others: use --password-stdin");
  if (credentials.username.empty()) {
    if (::isatty(STDIN_FILENO) != 1)
      throw UsageError("standard input is no terminal: give --username and --password-stdin");
    credentials.username = ask("Username: ");
  }
  if (credentials.password.empty()) credentials.password = read_password(from_input);
  image::Reference reference;
  reference.host = host;
  reference.path = "login";
  const image::RegistryOptions options = registry_options(invocation);
  image::Registry registry(options, reference, image::Access::pull);
  registry.authorizer().use(host, credentials);
  registry.ping();
  const image::CredentialStore store(invocation.environment, options.warn);
  const std::string place = store.store(host, credentials);
  if (place.starts_with('/'))
    print_warning("the password lies unencrypted in " + place +
                  "; a credential helper (credsStore) would keep it better");
  write_out("Login Succeeded\n");
  return 0;
}

int logout(Invocation& invocation) {
  std::vector<std::string> words;
  CommandLine& line = invocation.line;
  line.arguments("[HOST]", words, 0, 1);
  line.example("stack logout localhost:5000", "forget who we are to this registry");
  if (!line.parse()) return 0;
  const std::string host = registry_host(words);
  const image::CredentialStore store(invocation.environment, registry_options(invocation).warn);
  write_out(store.erase(host) ? "Removed the credentials for " + host + "\n"
                              : "Not logged in to " + host + "\n");
  return 0;
}

}  // namespace cli
