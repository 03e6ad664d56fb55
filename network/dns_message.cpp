#include "network/dns_message.hpp"

#include <algorithm>
#include <cstring>

namespace network {
namespace {

constexpr std::uint16_t kResponse = 0x8000;
constexpr std::uint16_t kOpcodeMask = 0x7800;
constexpr std::uint16_t kTruncated = 0x0200;
constexpr std::uint16_t kRecursionDesired = 0x0100;
constexpr std::uint16_t kRecursionAvailable = 0x0080;
constexpr std::uint16_t kCheckingDisabled = 0x0010;
constexpr std::uint16_t kRcodeMask = 0x000f;

constexpr std::uint16_t kClassIn = 1;
constexpr std::uint16_t kClassAny = 255;

constexpr std::size_t kMaximumName = 255;
constexpr std::size_t kMaximumLabel = 63;
constexpr std::size_t kOptRecordSize = 11;
constexpr std::uint32_t kDnssecOk = 0x8000;

std::uint16_t read16(DnsBytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>((bytes[at] << 8) | bytes[at + 1]);
}

void write16(std::span<std::uint8_t> bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value & 0xff);
}

void write32(std::span<std::uint8_t> bytes, std::size_t at, std::uint32_t value) {
  write16(bytes, at, static_cast<std::uint16_t>(value >> 16));
  write16(bytes, at + 2, static_cast<std::uint16_t>(value & 0xffff));
}

// Length bytes are at most 63, below 'A', so a whole name in wire form can go through this.
constexpr std::uint8_t lower(std::uint8_t byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<std::uint8_t>(byte + ('a' - 'A')) : byte;
}

// The name of a question: no pointers, for nothing stands before it that one could point to.
// Returns the offset behind it, or 0 when it is malformed.
std::size_t skip_plain_name(DnsBytes packet, std::size_t at) {
  const std::size_t start = at;
  while (at < packet.size()) {
    const std::size_t length = packet[at];
    if (length > kMaximumLabel) return 0;
    at += 1 + length;
    if (at - start > kMaximumName) return 0;
    if (length == 0) return at;
  }
  return 0;
}

// A name that may end in a pointer. Each pointer must lead before the place where the labels it
// continues began, so the walk ends. Returns the offset behind the name, or 0 when malformed.
std::size_t skip_name(DnsBytes packet, std::size_t at) {
  std::size_t behind = 0;
  std::size_t start = at;
  std::size_t total = 0;
  while (at < packet.size()) {
    const std::size_t length = packet[at];
    if ((length & 0xc0) == 0xc0) {
      if (at + 2 > packet.size()) return 0;
      const std::size_t target = read16(packet, at) & 0x3fffU;
      if (target < kDnsHeaderSize || target >= start) return 0;
      if (behind == 0) behind = at + 2;
      start = at = target;
      continue;
    }
    if (length > kMaximumLabel) return 0;
    at += 1 + length;
    total += 1 + length;
    if (total > kMaximumName) return 0;
    if (length == 0) return behind == 0 ? at : behind;
  }
  return 0;
}

// RFC 6891 6.1.2: pairs of code and length, then that many bytes.
bool well_formed_options(DnsBytes data) {
  while (!data.empty()) {
    if (data.size() < 4) return false;
    const std::size_t length = read16(data, 2);
    if (data.size() - 4 < length) return false;
    data = data.subspan(4 + length);
  }
  return true;
}

// Reads the question and fills name, type and `question`. Returns the offset behind it, or 0.
std::size_t read_question(DnsBytes packet, DnsQuery& query) {
  const std::size_t behind = skip_plain_name(packet, kDnsHeaderSize);
  if (behind == 0 || packet.size() - behind < 4) return 0;
  for (std::size_t at = kDnsHeaderSize; packet[at] != 0; at += 1U + packet[at]) ++query.labels;
  query.key_size = behind - kDnsHeaderSize - 1;
  for (std::size_t i = 0; i < query.key_size; ++i) {
    query.key_bytes[i] = static_cast<char>(lower(packet[kDnsHeaderSize + i]));
  }
  query.type = static_cast<DnsType>(read16(packet, behind));
  query.question = packet.subspan(kDnsHeaderSize, behind + 4 - kDnsHeaderSize);
  return behind + 4;
}

// Reads one record of the additional section. Returns the offset behind it, or 0.
std::size_t read_additional(DnsBytes packet, std::size_t at, DnsQuery& query) {
  constexpr std::size_t kFixed = 10;
  const bool root = packet.size() > at && packet[at] == 0;
  at = skip_name(packet, at);
  if (at == 0 || packet.size() - at < kFixed) return 0;
  const std::size_t length = read16(packet, at + 8);
  if (packet.size() - at - kFixed < length) return 0;
  if (static_cast<DnsType>(read16(packet, at)) == DnsType::opt) {
    const DnsBytes options = packet.subspan(at + kFixed, length);
    if (!root || query.edns || !well_formed_options(options)) return 0;
    query.edns = true;
    query.udp_size = read16(packet, at + 2);
    const unsigned version = packet[at + 5];
    query.dnssec_ok = (read16(packet, at + 6) & kDnssecOk) != 0;
    if (version != 0) query.rcode = DnsRcode::badvers;
  }
  return at + kFixed + length;
}

bool same_question(DnsBytes a, DnsBytes b) {
  if (a.size() != b.size()) return false;
  const std::size_t name = a.size() - 4;
  const auto same_letter = [](std::uint8_t x, std::uint8_t y) { return lower(x) == lower(y); };
  return std::ranges::equal(a.first(name), b.first(name), same_letter) &&
         std::ranges::equal(a.subspan(name), b.subspan(name));
}

DnsBytes question_of(DnsBytes packet) {
  const std::size_t behind = skip_plain_name(packet, kDnsHeaderSize);
  if (behind == 0 || packet.size() - behind < 4) return {};
  return packet.subspan(kDnsHeaderSize, behind + 4 - kDnsHeaderSize);
}

}  // namespace

std::optional<std::string> dns_key(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty()) return std::nullopt;
  std::string key;
  key.reserve(name.size() + 1);
  while (true) {
    const std::size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    if (label.empty() || label.size() > kMaximumLabel) return std::nullopt;
    key.push_back(static_cast<char>(label.size()));
    for (const char letter : label) {
      key.push_back(static_cast<char>(lower(static_cast<std::uint8_t>(letter))));
    }
    if (dot == std::string_view::npos) break;
    name.remove_prefix(dot + 1);
  }
  if (key.size() + 1 > kMaximumName) return std::nullopt;
  return key;
}

std::size_t DnsQuery::reply_limit(DnsTransport transport) const noexcept {
  if (transport == DnsTransport::tcp) return kDnsMaximumMessageSize;
  if (!edns) return kDnsMinimumUdpSize;
  return std::clamp<std::size_t>(udp_size, kDnsMinimumUdpSize, kDnsMaximumUdpSize);
}

std::optional<DnsQuery> parse_dns_query(DnsBytes packet) {
  if (packet.size() < kDnsHeaderSize) return std::nullopt;
  const std::uint16_t flags = read16(packet, 2);
  if ((flags & kResponse) != 0) return std::nullopt;
  std::optional<DnsQuery> result(std::in_place);
  DnsQuery& query = *result;
  query.id = read16(packet, 0);
  query.flags = flags;
  query.rcode = DnsRcode::formerr;
  if ((flags & kOpcodeMask) != 0) {
    query.rcode = DnsRcode::notimp;
    return result;
  }
  const bool one_question_only =
      read16(packet, 4) == 1 && read16(packet, 6) == 0 && read16(packet, 8) == 0;
  if (!one_question_only) return result;
  std::size_t at = read_question(packet, query);
  if (at == 0) return result;
  query.rcode = DnsRcode::noerror;
  for (std::size_t records = read16(packet, 10); records > 0 && at != 0; --records) {
    at = read_additional(packet, at, query);
  }
  const std::uint16_t question_class = read16(query.question, query.question.size() - 2);
  if (at != packet.size()) {
    query.rcode = DnsRcode::formerr;
  } else if (query.rcode == DnsRcode::noerror && question_class != kClassIn &&
             question_class != kClassAny) {
    query.rcode = DnsRcode::notimp;
  }
  return result;
}

DnsReply::DnsReply(const DnsQuery& query, DnsRcode rcode, std::size_t limit,
                   std::span<std::uint8_t> buffer)
    : query_(query), rcode_(rcode), buffer_(buffer), room_(std::min(limit, buffer.size())) {
  if (query.edns) room_ -= kOptRecordSize;
  std::ranges::copy(query.question, buffer_.begin() + kDnsHeaderSize);
  size_ = kDnsHeaderSize + query.question.size();
}

bool DnsReply::add(DnsType type, std::uint32_t ttl, DnsBytes data, bool with_root) {
  constexpr std::size_t kFixed = 12;
  constexpr std::uint16_t kPointerToQuestion = 0xc000 | kDnsHeaderSize;
  const std::size_t length = data.size() + (with_root ? 1 : 0);
  if (room_ - size_ < kFixed + length || answers_ == UINT16_MAX) {
    truncated_ = true;
    return false;
  }
  write16(buffer_, size_, kPointerToQuestion);
  write16(buffer_, size_ + 2, static_cast<std::uint16_t>(type));
  write16(buffer_, size_ + 4, kClassIn);
  write32(buffer_, size_ + 6, ttl);
  write16(buffer_, size_ + 10, static_cast<std::uint16_t>(length));
  std::ranges::copy(data, buffer_.subspan(size_ + kFixed).begin());
  if (with_root) buffer_[size_ + kFixed + data.size()] = 0;
  size_ += kFixed + length;
  ++answers_;
  return true;
}

bool DnsReply::add_address(DnsType type, std::uint32_t ttl, DnsBytes address) {
  return add(type, ttl, address, false);
}

bool DnsReply::add_pointer(std::uint32_t ttl, std::string_view key) {
  std::array<std::uint8_t, kMaximumName> name;
  if (key.size() >= name.size()) return false;
  std::ranges::transform(key, name.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
  return add(DnsType::ptr, ttl, DnsBytes(name).first(key.size()), true);
}

std::size_t DnsReply::finish() {
  const unsigned rcode = static_cast<std::uint16_t>(rcode_);
  const unsigned kept = query_.flags & (kOpcodeMask | kRecursionDesired | kCheckingDisabled);
  const unsigned flags = kResponse | kRecursionAvailable | kept | (truncated_ ? kTruncated : 0U) |
                         (rcode & kRcodeMask);
  write16(buffer_, 0, query_.id);
  write16(buffer_, 2, static_cast<std::uint16_t>(flags));
  write16(buffer_, 4, query_.question.empty() ? 0 : 1);
  write16(buffer_, 6, answers_);
  write16(buffer_, 8, 0);
  write16(buffer_, 10, query_.edns ? 1 : 0);
  if (query_.edns) {
    buffer_[size_] = 0;
    write16(buffer_, size_ + 1, static_cast<std::uint16_t>(DnsType::opt));
    write16(buffer_, size_ + 3, kDnsOfferedUdpSize);
    write32(buffer_, size_ + 5, ((rcode >> 4) << 24) | (query_.dnssec_ok ? kDnssecOk : 0U));
    write16(buffer_, size_ + 9, 0);
    size_ += kOptRecordSize;
  }
  return size_;
}

std::size_t write_dns_reply(const DnsQuery& query, DnsRcode rcode, std::span<std::uint8_t> buffer) {
  return DnsReply(query, rcode, buffer.size(), buffer).finish();
}

std::size_t write_truncated_dns_reply(const DnsQuery& query, std::span<std::uint8_t> buffer) {
  const std::size_t size = write_dns_reply(query, DnsRcode::noerror, buffer);
  write16(buffer, 2, static_cast<std::uint16_t>(read16(buffer, 2) | kTruncated));
  return size;
}

std::optional<DnsReplySummary> match_dns_reply(DnsBytes reply, DnsBytes query) {
  if (reply.size() < kDnsHeaderSize || query.size() < kDnsHeaderSize) return std::nullopt;
  const std::uint16_t flags = read16(reply, 2);
  if (dns_id(reply) != dns_id(query) || (flags & kResponse) == 0) return std::nullopt;
  if ((flags & kOpcodeMask) != (read16(query, 2) & kOpcodeMask)) return std::nullopt;
  DnsReplySummary summary;
  summary.rcode = static_cast<DnsRcode>(flags & kRcodeMask);
  summary.truncated = (flags & kTruncated) != 0;
  const std::uint16_t questions = read16(reply, 4);
  if (questions == 0 && summary.rcode != DnsRcode::noerror) return summary;
  const DnsBytes asked = question_of(query);
  if (questions != 1 || asked.empty()) return std::nullopt;
  const DnsBytes answered = question_of(reply);
  if (answered.empty() || !same_question(asked, answered)) return std::nullopt;
  return summary;
}

std::uint16_t dns_id(DnsBytes packet) noexcept { return read16(packet, 0); }

void set_dns_id(std::span<std::uint8_t> packet, std::uint16_t id) noexcept {
  write16(packet, 0, id);
}

}  // namespace network
