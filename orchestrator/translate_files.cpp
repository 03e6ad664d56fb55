#include <algorithm>

#include "orchestrator/translate_parts.hpp"
#include "runtime/os/file.hpp"

namespace orchestrator {

namespace {

constexpr const char* kLocalHosts =
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::\tip6-localnet\n"
    "ff00::\tip6-mcastprefix\n"
    "ff02::1\tip6-allnodes\n"
    "ff02::2\tip6-allrouters\n";

std::string hosts_text(const ContainerInput& input) {
  const manifests::Service& service = *input.service;
  std::string text = service.network_mode == "host"
                         ? os::read_file_if_exists("/etc/hosts").value_or("")
                         : kLocalHosts;
  for (const auto& [host, addresses] : service.extra_hosts)
    for (const std::string& address : addresses)
      text += (address == "host-gateway" ? input.host_gateway : address) + "\t" + host + "\n";
  const std::string hostname = hostname_of(service, *input.record);
  const std::string names =
      service.domainname.empty() ? hostname : hostname + "." + service.domainname + " " + hostname;
  for (const network::Address& address : input.addresses)
    for (const std::string* ip : {&address.ipv4, &address.ipv6})
      if (!ip->empty()) text += *ip + "\t" + names + "\n";
  return text;
}

/// The host's resolv.conf by keyword: the rest of each line.
std::vector<std::string> host_lines(const std::string& keyword) {
  std::vector<std::string> found;
  const std::string text = os::read_file_if_exists("/etc/resolv.conf").value_or("");
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) end = text.size();
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (!line.starts_with(keyword) || line.size() <= keyword.size()) continue;
    const auto value = line.find_first_not_of(" \t", keyword.size());
    if (value != std::string::npos && value > keyword.size()) found.push_back(line.substr(value));
  }
  return found;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += " " + word;
  return text;
}

std::string nameservers(const ContainerInput& input) {
  const manifests::Service& service = *input.service;
  if (!input.addresses.empty()) return "nameserver 127.0.0.11\n";
  std::string text;
  std::vector<std::string> servers = service.dns.empty() ? host_lines("nameserver") : service.dns;
  for (const std::string& server : servers) {
    // In a namespace of its own the host's loopback is out of reach.
    if (service.network_mode != "host" && service.dns.empty() && server.starts_with("127."))
      continue;
    text += "nameserver " + server + "\n";
  }
  return text;
}

std::string resolv_conf_text(const ContainerInput& input) {
  const manifests::Service& service = *input.service;
  std::string text = nameservers(input);
  const std::vector<std::string> search =
      service.dns_search.empty() ? host_lines("search") : service.dns_search;
  if (!search.empty() && search != std::vector<std::string>{"."})
    text += "search" + joined(search) + "\n";
  std::vector<std::string> options =
      service.dns_opt.empty() ? host_lines("options") : service.dns_opt;
  const bool has_ndots = std::any_of(options.begin(), options.end(), [](const std::string& option) {
    return option.find("ndots:") != std::string::npos;
  });
  if (!has_ndots && !input.addresses.empty()) options.push_back("ndots:0");
  if (!options.empty()) text += "options" + joined(options) + "\n";
  return text;
}

/// Written in place, for a running container has the file bound.
void write_in_place(const std::string& path, const std::string& text) {
  const os::UniqueFd file = os::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  os::write_all(file.get(), text, path);
}

}  // namespace

void write_network_files(const ContainerInput& input) {
  if (!input.shared_files.empty()) return;
  const std::string files = input.layout.files;
  write_in_place(files + "/hosts", hosts_text(input));
  write_in_place(files + "/hostname", hostname_of(*input.service, *input.record) + "\n");
  write_in_place(files + "/resolv.conf", resolv_conf_text(input));
}

}  // namespace orchestrator
