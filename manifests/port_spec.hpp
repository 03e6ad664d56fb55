// The short form of `ports` (A2.P): `[HOST_IP:][HOST_PORT:]CONTAINER_PORT[/PROTOCOL]`, with ranges.
#pragma once

#include <string_view>
#include <vector>

#include "manifests/values.hpp"

namespace manifests {

/// One entry per container port. The published text is kept as a range when one container port may
/// take any of several host ports.
Parsed<std::vector<Port>> parse_port_spec(std::string_view spec);

/// "8080" or "8000-8010" as first and last; nothing when it is neither.
std::optional<std::pair<std::uint16_t, std::uint16_t>> parse_port_range(std::string_view text);

/// tcp, udp or sctp, in any case.
std::optional<Protocol> parse_protocol(std::string_view text);

}  // namespace manifests
