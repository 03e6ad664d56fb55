#include "network/address_pool.hpp"

#include "network/device_name.hpp"

namespace network {

namespace {

Subnet subnet_of(const char* text) { return Subnet::parse(text).value(); }

}  // namespace

std::vector<Subnet> bridge_candidates() {
  std::vector<Subnet> candidates;
  const Subnet b = subnet_of("172.16.0.0/12");
  for (std::uint64_t i = 2; i < 16; ++i) candidates.push_back(b.child(16, i).value());
  const Subnet c = subnet_of("192.168.0.0/16");
  for (std::uint64_t i = 0; i < 16; ++i) candidates.push_back(c.child(20, i).value());
  return candidates;
}

std::optional<Subnet> choose_bridge_subnet(const std::vector<Subnet>& own,
                                           const std::vector<Subnet>& occupied,
                                           const std::vector<Subnet>& avoided) {
  const std::vector<Subnet> candidates = bridge_candidates();
  for (const std::vector<Subnet>* others : {&avoided, &occupied}) {
    for (const Subnet& candidate : candidates) {
      if (!candidate.overlaps_any(own) && !candidate.overlaps_any(*others)) return candidate;
    }
  }
  return std::nullopt;
}

std::optional<Subnet> choose_uplink_subnet(const std::vector<Subnet>& avoided) {
  // Each range's first part is plenty: a stack takes one of 4,096.
  constexpr std::uint64_t kTried = 4096;
  for (const char* range : {"100.64.0.0/10", "10.213.0.0/16", "192.168.240.0/20"}) {
    const Subnet whole = subnet_of(range);
    for (std::uint64_t i = 0; i < kTried; ++i) {
      const std::optional<Subnet> candidate = whole.child(30, i);
      if (!candidate) break;
      if (!candidate->overlaps_any(avoided)) return candidate;
    }
  }
  return std::nullopt;
}

Subnet unique_local_prefix(const std::string& seed) {
  const std::uint64_t hash = stable_hash(seed);
  std::array<std::uint8_t, 16> bytes{0xfd};
  for (std::size_t i = 0; i < 5; ++i) {
    bytes[i + 1] = static_cast<std::uint8_t>(hash >> (i * 8) & 0xff);
  }
  return Subnet(IpAddress::from_bytes(subnet_of("::/0").family(), bytes.data()), 48);
}

std::optional<Subnet> choose_unique_local_subnet(const Subnet& prefix,
                                                 const std::vector<Subnet>& taken) {
  for (std::uint64_t i = 1;; ++i) {
    const std::optional<Subnet> candidate = prefix.child(64, i);
    if (!candidate || !candidate->overlaps_any(taken)) return candidate;
  }
}

bool AddressRange::is_usable(const IpAddress& address) const {
  if (!subnet.contains(address) || reserved.contains(address)) return false;
  if (subnet.base().bits() - subnet.prefix() <= 1) return true;
  return address != subnet.base() && !(subnet.is_v4() && address == subnet.last());
}

std::optional<IpAddress> AddressRange::lowest_free(const std::set<IpAddress>& taken) const {
  const IpAddress last = range.last();
  // At most this many can be unusable or taken, so the walk is bounded in a subnet of any size.
  const std::size_t limit = taken.size() + reserved.size() + 3;
  IpAddress address = range.base();
  for (std::size_t i = 0; i <= limit; ++i, address = address.plus(1)) {
    if (is_usable(address) && !taken.contains(address)) return address;
    if (address == last) break;
  }
  return std::nullopt;
}

IpAddress first_host(const Subnet& subnet) {
  const bool tiny = subnet.base().bits() - subnet.prefix() <= 1;
  return tiny ? subnet.base() : subnet.base().plus(1);
}

}  // namespace network
