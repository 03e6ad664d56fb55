#include "network/ip_address.hpp"

#include <arpa/inet.h>

#include <cstring>

namespace network {

std::optional<IpAddress> IpAddress::parse(const std::string& text) {
  IpAddress address;
  address.family_ = text.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (::inet_pton(address.family_, text.c_str(), address.bytes_.data()) != 1) return std::nullopt;
  return address;
}

IpAddress IpAddress::from_bytes(int family, const void* bytes) {
  IpAddress address;
  address.family_ = family;
  std::memcpy(address.bytes_.data(), bytes, address.size());
  return address;
}

bool IpAddress::is_v4() const noexcept { return family_ == AF_INET; }

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_ntop(family_, bytes_.data(), text.data(), text.size()) == nullptr) return {};
  return text.data();
}

std::string IpAddress::with_port(std::uint16_t port) const {
  const std::string number = std::to_string(port);
  return is_v4() ? to_string() + ":" + number : "[" + to_string() + "]:" + number;
}

bool IpAddress::is_loopback() const noexcept {
  if (is_v4()) return bytes_[0] == 127;
  static constexpr std::array<std::uint8_t, 16> loopback{0, 0, 0, 0, 0, 0, 0, 0,
                                                         0, 0, 0, 0, 0, 0, 0, 1};
  return bytes_ == loopback;
}

bool IpAddress::is_unspecified() const noexcept { return bytes_ == std::array<std::uint8_t, 16>{}; }

bool IpAddress::is_link_local() const noexcept {
  if (is_v4()) return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

IpAddress IpAddress::plus(std::uint64_t offset) const noexcept {
  IpAddress sum = *this;
  std::uint64_t carry = offset;
  for (std::size_t i = size(); i-- > 0 && carry != 0;) {
    // The carry may be near 2^64: add byte by byte, never the whole.
    const std::uint64_t digit = sum.bytes_[i] + (carry & 0xff);
    sum.bytes_[i] = static_cast<std::uint8_t>(digit & 0xff);
    carry = (carry >> 8) + (digit >> 8);
  }
  return sum;
}

IpAddress IpAddress::masked(int prefix, bool ones) const noexcept {
  IpAddress result = *this;
  for (std::size_t i = 0; i < size(); ++i) {
    const int kept = prefix - static_cast<int>(i) * 8;
    const unsigned mask = kept >= 8 ? 0xffU : kept <= 0 ? 0U : (0xffU << (8 - kept)) & 0xffU;
    const unsigned host = ones ? ~mask & 0xffU : 0U;
    result.bytes_[i] = static_cast<std::uint8_t>((result.bytes_[i] & mask) | host);
  }
  return result;
}

}  // namespace network
