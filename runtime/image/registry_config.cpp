#include "runtime/image/registry_config.hpp"

#include "runtime/image/json.hpp"
#include "runtime/image/url.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace image {

namespace {

constexpr std::string_view kHub = "docker.io";
constexpr std::string_view kHubServer = "https://registry-1.docker.io";

std::string value_of(const std::map<std::string, std::string>& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

std::string without_slash(std::string text) {
  while (!text.empty() && text.back() == '/') text.pop_back();
  return text;
}

/// The certificates of one certs.d/HOST.
void read_certificates(const std::string& directory, TlsOptions& tls) {
  for (const std::string& name : os::list_directory(directory)) {
    const std::string path = directory + "/" + name;
    if (name.ends_with(".crt")) {
      tls.authorities += os::read_file(path) + "\n";
    } else if (name.ends_with(".cert")) {
      const std::string key = path.substr(0, path.size() - 5) + ".key";
      if (!os::exists(key)) throw os::Error("'" + path + "' has no key beside it: '" + key + "'");
      tls.certificate = path;
      tls.key = key;
    }
  }
}

/// Turns the paths that hosts.toml names into what they hold.
void read_authorities(const std::string& directory, TlsOptions& tls) {
  std::string paths = std::exchange(tls.authorities, {});
  for (std::size_t end = 0; (end = paths.find('\n')) != std::string::npos;
       paths.erase(0, end + 1)) {
    const std::string path = paths.substr(0, end);
    tls.authorities += os::read_file(path.starts_with('/') ? path : directory + "/" + path) + "\n";
  }
  for (std::string* file : {&tls.certificate, &tls.key})
    if (!file->empty() && !file->starts_with('/')) file->insert(0, directory + "/");
}

}  // namespace

RegistryConfig RegistryConfig::read(const std::map<std::string, std::string>& environment) {
  std::vector<std::string> directories;
  const std::string home = value_of(environment, "HOME");
  std::vector<std::string> daemon_files{"/etc/docker/daemon.json"};
  if (!home.empty()) {
    directories.push_back(home + "/.config/docker/certs.d");
    directories.push_back(home + "/.config/containers/certs.d");
    daemon_files.push_back(home + "/.config/docker/daemon.json");
  }
  for (const char* machine :
       {"/etc/docker/certs.d", "/etc/containers/certs.d", "/etc/containerd/certs.d"})
    directories.emplace_back(machine);
  RegistryConfig config(std::move(directories));
  for (const std::string& file : daemon_files) {
    const auto text = os::read_file_if_exists(file);
    if (!text) continue;
    try {
      config.add_daemon_file(*text);
    } catch (const os::Error& error) {
      throw error.in("'" + file + "'");
    }
  }
  return config;
}

void RegistryConfig::add_daemon_file(std::string_view json) {
  const Json document = parse_object(json, "it");
  for (const std::string& mirror : strings_at(document, "registry-mirrors"))
    mirrors_.push_back(without_slash(Url::parse(mirror).text()));
  for (const std::string& host : strings_at(document, "insecure-registries"))
    insecure_.insert(host);
}

bool RegistryConfig::is_insecure(const std::string& host) const {
  return is_loopback(host) || insecure_.contains(host);
}

TlsOptions RegistryConfig::tls_for(const std::string& host) const {
  TlsOptions tls;
  for (const std::string& directory : directories_) read_certificates(directory + "/" + host, tls);
  return tls;
}

Endpoint RegistryConfig::registry_itself(const std::string& host) const {
  Endpoint endpoint;
  endpoint.url = host == kHub ? std::string(kHubServer) : "https://" + host;
  endpoint.credentials = host;
  endpoint.tls = tls_for(host);
  // Who says whom to trust means it: no way around it then.
  endpoint.insecure = is_insecure(host) && endpoint.tls.authorities.empty();
  return endpoint;
}

std::vector<Endpoint> RegistryConfig::endpoints(const std::string& host) const {
  std::vector<Endpoint> endpoints;
  Endpoint last = registry_itself(host);
  for (const std::string& directory : directories_) {
    const std::string own = directory + "/" + host;
    const auto text = os::read_file_if_exists(own + "/hosts.toml");
    if (!text) continue;
    try {
      HostsFile file = parse_hosts_file(*text);
      for (Endpoint& mirror : file.hosts) {
        read_authorities(own, mirror.tls);
        const bool as_it_is = std::exchange(mirror.origin, host) == "override";
        mirror.url = without_slash(mirror.url);
        if (as_it_is && mirror.url.ends_with("/v2")) mirror.url.resize(mirror.url.size() - 3);
        mirror.credentials = Url::parse(mirror.url).host;
        mirror.insecure = mirror.url.starts_with("https") && mirror.tls.authorities.empty() &&
                          is_insecure(mirror.credentials);
        endpoints.push_back(std::move(mirror));
      }
      if (!file.server.empty()) last.url = without_slash(Url::parse(file.server).text());
    } catch (const os::Error& error) {
      throw error.in("'" + own + "/hosts.toml'");
    }
    break;
  }
  if (host == kHub) {
    for (const std::string& url : mirrors_) {
      Endpoint mirror;
      mirror.url = url;
      mirror.credentials = Url::parse(url).host;
      mirror.origin = host;
      mirror.push = false;
      mirror.tls = tls_for(mirror.credentials);
      mirror.insecure = url.starts_with("https") && mirror.tls.authorities.empty() &&
                        is_insecure(mirror.credentials);
      endpoints.push_back(std::move(mirror));
    }
  }
  endpoints.push_back(std::move(last));
  return endpoints;
}

}  // namespace image
