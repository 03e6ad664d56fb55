// DNS messages (RFC 1035, RFC 6891) as far as an embedded server needs them: a question is read, an
// answer of addresses or names is written, a forwarded reply is matched to its question.
//
// A codec of its own rather than ldns: the packets come from containers and from the net, and ldns
// builds a tree of some dozen allocations for each before the question can be seen. Here nothing is
// allocated, every read is bounded by the packet, and a compression pointer may only lead
// backwards, so that no packet can make a loop. What is not needed to answer (the content of
// records) is passed over, not decoded. Pure: bytes in, bytes out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace network {

using DnsBytes = std::span<const std::uint8_t>;

inline constexpr std::size_t kDnsHeaderSize = 12;
/// RFC 1035 4.2.1: what any client takes over UDP.
inline constexpr std::size_t kDnsMinimumUdpSize = 512;
/// The most that is sent over UDP, whatever the client offers.
inline constexpr std::size_t kDnsMaximumUdpSize = 4096;
/// The UDP size that our own OPT record offers (DNS flag day 2020: no fragments).
inline constexpr std::uint16_t kDnsOfferedUdpSize = 1232;
inline constexpr std::size_t kDnsMaximumMessageSize = 65535;

/// Record types that are told apart; any other value is passed through.
enum class DnsType : std::uint16_t {
  a = 1,
  ptr = 12,
  aaaa = 28,
  opt = 41,
  ixfr = 251,
  axfr = 252,
  any = 255,
};

enum class DnsRcode : std::uint16_t {
  noerror = 0,
  formerr = 1,
  servfail = 2,
  nxdomain = 3,
  notimp = 4,
  refused = 5,
  badvers = 16,
};

enum class DnsTransport { udp, tcp };

/// The key form of a dotted name such as "db.shop_default": its labels as on the wire (a length
/// byte before each), in lower case, without the root. Nothing when a label is empty or longer than
/// 63 bytes, or the whole longer than 255. A final dot is allowed.
std::optional<std::string> dns_key(std::string_view name);

/// A query as it was received. Views into the packet: it must outlive this.
struct DnsQuery {
  /// noerror, or what a reply to this packet must say without more being looked at.
  DnsRcode rcode = DnsRcode::noerror;
  std::uint16_t id = 0;
  /// The header's second 16 bits: opcode and flags.
  std::uint16_t flags = 0;
  /// Name, type and class as sent; empty when it could not be read.
  DnsBytes question;
  DnsType type{};
  bool edns = false;
  bool dnssec_ok = false;
  /// What the client takes over UDP, by its OPT record.
  std::uint16_t udp_size = 0;

  /// The name in key form (see dns_key).
  std::string_view key() const noexcept { return {key_bytes.data(), key_size}; }
  /// Labels in the name; 0 is the root.
  std::size_t labels = 0;
  /// The size that a reply may have.
  std::size_t reply_limit(DnsTransport transport) const noexcept;

  std::array<char, 255> key_bytes;
  std::size_t key_size = 0;
};

/// Reads a query. Nothing when the packet must not be answered at all: too short for a header, or
/// itself a response (answering those would let two servers talk for ever). Exactly one question
/// of class IN or ANY, opcode QUERY, no answers, at most one OPT of version 0, no byte left over;
/// anything else sets `rcode`.
std::optional<DnsQuery> parse_dns_query(DnsBytes packet);

/// Writes one reply into a buffer of the caller.
class DnsReply {
 public:
  /// Starts the reply: header and question as asked. `buffer` must hold kDnsHeaderSize bytes, the
  /// question and an OPT record (512 are enough); what exceeds `limit` bytes is left out and the
  /// reply marked as truncated.
  DnsReply(const DnsQuery& query, DnsRcode rcode, std::size_t limit,
           std::span<std::uint8_t> buffer);

  /// Adds an A or AAAA record for the name asked. False when it no longer fits.
  bool add_address(DnsType type, std::uint32_t ttl, DnsBytes address);
  /// Adds a PTR record to `key` (see dns_key) for the name asked. False when it no longer fits.
  bool add_pointer(std::uint32_t ttl, std::string_view key);
  /// Completes the reply and returns its size.
  std::size_t finish();

 private:
  bool add(DnsType type, std::uint32_t ttl, DnsBytes data, bool with_root);

  const DnsQuery& query_;
  DnsRcode rcode_;
  std::span<std::uint8_t> buffer_;
  std::size_t room_;
  std::size_t size_ = 0;
  std::uint16_t answers_ = 0;
  bool truncated_ = false;
};

/// A reply without records, e.g. SERVFAIL. Returns its size; `buffer` as for DnsReply.
std::size_t write_dns_reply(const DnsQuery& query, DnsRcode rcode, std::span<std::uint8_t> buffer);

/// A reply that says nothing but "ask again over TCP". Returns its size; `buffer` as for DnsReply.
std::size_t write_truncated_dns_reply(const DnsQuery& query, std::span<std::uint8_t> buffer);

/// What a forwarder has to know of a reply.
struct DnsReplySummary {
  DnsRcode rcode = DnsRcode::noerror;
  bool truncated = false;
};

/// Reads the reply to `query` (the packet as it was sent). Nothing when it is not the reply to just
/// that: another id, another question, or no response. The case of letters in the name is free, and
/// an error without any question is taken as one.
std::optional<DnsReplySummary> match_dns_reply(DnsBytes reply, DnsBytes query);

std::uint16_t dns_id(DnsBytes packet) noexcept;
void set_dns_id(std::span<std::uint8_t> packet, std::uint16_t id) noexcept;

}  // namespace network
