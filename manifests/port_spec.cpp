#include "manifests/port_spec.hpp"

#include <algorithm>
#include <charconv>

namespace manifests {

namespace {

struct Parts {
  std::string_view host_ip;
  std::string_view host_port;
  std::string_view container_port;
};

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

/// Splits from the right, so that an IPv6 address needs no brackets.
Parts split(std::string_view spec) {
  Parts parts;
  const auto last = spec.rfind(':');
  if (last == std::string_view::npos) return {{}, {}, spec};
  parts.container_port = spec.substr(last + 1);
  const std::string_view rest = spec.substr(0, last);
  const auto before = rest.rfind(':');
  if (before == std::string_view::npos) return {{}, rest, parts.container_port};
  parts.host_port = rest.substr(before + 1);
  parts.host_ip = rest.substr(0, before);
  return parts;
}

std::string_view unbracketed(std::string_view address) {
  if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
    return address.substr(1, address.size() - 2);
  }
  return address;
}

Unreadable invalid(std::string_view what, std::string_view text) {
  return {std::string(what) + ": " + std::string(text)};
}

}  // namespace

std::optional<std::pair<std::uint16_t, std::uint16_t>> parse_port_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_port(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return std::pair(*first, *last);
}

std::optional<Protocol> parse_protocol(std::string_view text) {
  std::string word(text);
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (word == "tcp") return Protocol::tcp;
  if (word == "udp") return Protocol::udp;
  if (word == "sctp") return Protocol::sctp;
  return std::nullopt;
}

Parsed<std::vector<Port>> parse_port_spec(std::string_view spec) {
  const Parts parts = split(spec);
  const auto slash = parts.container_port.find('/');
  const std::string_view container = parts.container_port.substr(0, slash);
  const std::string_view protocol_text =
      slash == std::string_view::npos ? "" : parts.container_port.substr(slash + 1);
  const std::string_view host_ip = unbracketed(parts.host_ip);

  if (!host_ip.empty() && !is_ip_address(host_ip)) return invalid("Invalid ip address", host_ip);
  if (container.empty()) return invalid("No port specified", std::string(spec) + "<empty>");
  const auto targets = parse_port_range(container);
  if (!targets) return invalid("Invalid containerPort", container);
  const bool published = !parts.host_port.empty();
  std::pair<std::uint16_t, std::uint16_t> hosts{};
  if (published) {
    const auto range = parse_port_range(parts.host_port);
    if (!range) return invalid("Invalid hostPort", parts.host_port);
    hosts = *range;
  }
  const auto protocol =
      protocol_text.empty() ? std::optional(Protocol::tcp) : parse_protocol(protocol_text);
  if (!protocol) return invalid("Invalid proto", protocol_text);

  const int target_count = targets->second - targets->first;
  const int host_count = hosts.second - hosts.first;
  if (published && target_count != host_count && target_count != 0) {
    return invalid("Invalid ranges specified for container and host Ports",
                   std::string(container) + " and " + std::string(parts.host_port));
  }
  std::vector<Port> ports;
  for (int i = 0; i <= target_count; ++i) {
    Port port;
    port.host_ip = host_ip;
    port.target = static_cast<std::uint16_t>(targets->first + i);
    port.protocol = *protocol;
    if (published) {
      port.published = target_count == 0 && host_count != 0 ? std::string(parts.host_port)
                                                            : std::to_string(hosts.first + i);
    }
    ports.push_back(std::move(port));
  }
  // The order the reference shows: by the text of the port, not its value.
  std::sort(ports.begin(), ports.end(), [](const Port& a, const Port& b) {
    return std::to_string(a.target) + "/" < std::to_string(b.target) + "/";
  });
  return ports;
}

}  // namespace manifests
