#include "tests/support/registry_server.hpp"

#include <signal.h>

#include <stdexcept>

#include "tests/support/http.hpp"

namespace support {

namespace {

constexpr const char* kProgram = "/usr/bin/docker-registry";

/// bcrypt, the only hash that it takes, of "secret".
constexpr const char* kHashOfSecret =
    "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";

CommandOptions plain_options(const std::string& directory) {
  CommandOptions options;
  options.environment = {{"PATH", "/usr/bin:/bin"}, {"HOME", directory}};
  options.working_directory = directory;
  return options;
}

}  // namespace

bool has_registry_server() { return os::exists(kProgram); }

std::string openssl(const std::vector<std::string>& arguments, const std::string& directory,
                    const std::string& input) {
  CommandOptions options = plain_options(directory);
  const std::string file = directory + "/openssl-input";
  if (!input.empty()) {
    os::write_file_atomic(file, input);
    options.input = file;
  }
  std::vector<std::string> words{"/usr/bin/openssl"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const Output output = run(words, options);
  if (output.code != 0) throw std::runtime_error("openssl: " + output.err);
  return output.out;
}

RegistryServer::RegistryServer(const RegistrySetup& setup) : port_(free_port()) {
  const std::string directory = directory_.path();
  if (setup.tls) make_certificate();
  if (!setup.user.empty())
    os::write_file_atomic(directory + "/htpasswd", setup.user + ":" + kHashOfSecret + "\n");
  os::write_file_atomic(directory + "/config.yml", configuration(setup));
  server_ = std::make_unique<Command>(
      std::vector<std::string>{kProgram, "serve", directory + "/config.yml"},
      plain_options(directory));
  if (!wait_until([&] { return can_connect("127.0.0.1", port_) || server_->has_ended(); }) ||
      server_->has_ended())
    throw std::runtime_error("docker-registry does not start: " + log());
}

RegistryServer::~RegistryServer() {
  server_->send_signal(SIGKILL);
  server_->wait();
}

void RegistryServer::make_certificate() const {
  const std::string directory = directory_.path();
  openssl({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test-ca",
           "-keyout", "ca.key", "-out", "ca.crt"},
          directory);
  openssl({"req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout",
           "server.key", "-out", "server.csr"},
          directory);
  os::write_file_atomic(directory + "/names", "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  openssl({"x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
           "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "server.crt"},
          directory);
}

std::string RegistryServer::configuration(const RegistrySetup& setup) const {
  const std::string directory = directory_.path();
  std::string text =
      "version: 0.1\n"
      "log: {level: warn, accesslog: {disabled: false}}\n"
      "storage: {filesystem: {rootdirectory: " +
      storage() + "}}\nhttp:\n  addr: 127.0.0.1:" + std::to_string(port_) + "\n";
  if (setup.tls)
    text +=
        "  tls: {certificate: " + directory + "/server.crt, key: " + directory + "/server.key}\n";
  if (!setup.user.empty())
    text += "auth: {htpasswd: {realm: test, path: " + directory + "/htpasswd}}\n";
  if (!setup.token_realm.empty())
    text += "auth: {token: {realm: '" + setup.token_realm +
            "', service: test, issuer: tests, rootcertbundle: " + setup.token_authority + "}}\n";
  return text;
}

int RegistryServer::count(const std::string& part) {
  const std::string text = log();
  int found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size())
    ++found;
  return found;
}

}  // namespace support
