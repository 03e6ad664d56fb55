// Writes DNS queries byte by byte and reads replies with ldns, so that the code under test is never
// the judge of itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "network/dns_message.hpp"

namespace network::test {

using Bytes = std::vector<std::uint8_t>;

struct QuestionOptions {
  std::uint16_t type = 1;
  std::uint16_t klass = 1;
  std::uint16_t id = 0x1234;
  std::uint16_t flags = 0x0100;
  /// -1: no OPT record.
  int edns_size = -1;
  std::uint8_t edns_version = 0;
  bool dnssec_ok = false;
};

void put16(Bytes& bytes, unsigned value);
/// A name in wire form, labels as given.
Bytes wire_name(std::string_view name);
Bytes make_query(std::string_view name, const QuestionOptions& options = {});
/// The length in front, as over TCP.
Bytes framed(const Bytes& message);

/// A reply as ldns reads it.
struct Reply {
  std::uint16_t id = 0;
  std::string rcode;
  bool response = false;
  bool authoritative = false;
  bool truncated = false;
  bool recursion_desired = false;
  bool recursion_available = false;
  bool checking_disabled = false;
  /// The name asked, as in the packet.
  std::string question;
  /// "TYPE RDATA" of each answer, in order.
  std::vector<std::string> answers;
  std::vector<std::string> owners;
  std::vector<std::uint32_t> ttls;
  bool edns = false;
  unsigned edns_size = 0;
  unsigned extended_rcode = 0;
  bool dnssec_ok = false;
};

/// Fails the test when it is no DNS message.
Reply read_reply(DnsBytes bytes);

/// A reply of an upstream to `query`: the same question, `rcode`, and for each address an A record.
Bytes make_reply(DnsBytes query, unsigned rcode, const std::vector<std::string>& addresses = {},
                 bool truncated = false);

}  // namespace network::test
