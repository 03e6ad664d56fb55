#include "tests/unit/network_dns/packets.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <ldns/ldns.h>

#include <cstdlib>
#include <memory>

namespace network::test {
namespace {

std::string take_text(char* text) {
  const std::unique_ptr<char, decltype(&std::free)> owner(text, &std::free);
  return text == nullptr ? "" : text;
}

}  // namespace

void put16(Bytes& bytes, unsigned value) {
  bytes.push_back(static_cast<std::uint8_t>(value >> 8));
  bytes.push_back(static_cast<std::uint8_t>(value & 0xff));
}

Bytes wire_name(std::string_view name) {
  Bytes bytes;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    bytes.push_back(static_cast<std::uint8_t>(label.size()));
    bytes.insert(bytes.end(), label.begin(), label.end());
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  bytes.push_back(0);
  return bytes;
}

Bytes make_query(std::string_view name, const QuestionOptions& options) {
  Bytes bytes;
  put16(bytes, options.id);
  put16(bytes, options.flags);
  for (const unsigned count : {1U, 0U, 0U, options.edns_size >= 0 ? 1U : 0U}) put16(bytes, count);
  const Bytes encoded = wire_name(name);
  bytes.insert(bytes.end(), encoded.begin(), encoded.end());
  put16(bytes, options.type);
  put16(bytes, options.klass);
  if (options.edns_size >= 0) {
    bytes.push_back(0);
    put16(bytes, 41);
    put16(bytes, static_cast<unsigned>(options.edns_size));
    bytes.push_back(0);
    bytes.push_back(options.edns_version);
    put16(bytes, options.dnssec_ok ? 0x8000 : 0);
    put16(bytes, 0);
  }
  return bytes;
}

Bytes framed(const Bytes& message) {
  Bytes bytes;
  put16(bytes, static_cast<unsigned>(message.size()));
  bytes.insert(bytes.end(), message.begin(), message.end());
  return bytes;
}

Reply read_reply(DnsBytes bytes) {
  Reply reply;
  ldns_pkt* raw = nullptr;
  if (ldns_wire2pkt(&raw, bytes.data(), bytes.size()) != LDNS_STATUS_OK) {
    ADD_FAILURE() << "not a DNS message: " << bytes.size() << " bytes";
    return reply;
  }
  const std::unique_ptr<ldns_pkt, decltype(&ldns_pkt_free)> packet(raw, &ldns_pkt_free);
  reply.id = ldns_pkt_id(raw);
  reply.rcode = take_text(ldns_pkt_rcode2str(ldns_pkt_get_rcode(raw)));
  reply.response = ldns_pkt_qr(raw);
  reply.authoritative = ldns_pkt_aa(raw);
  reply.truncated = ldns_pkt_tc(raw);
  reply.recursion_desired = ldns_pkt_rd(raw);
  reply.recursion_available = ldns_pkt_ra(raw);
  reply.checking_disabled = ldns_pkt_cd(raw);
  if (ldns_rr_list_rr_count(ldns_pkt_question(raw)) == 1) {
    const ldns_rr* question = ldns_rr_list_rr(ldns_pkt_question(raw), 0);
    reply.question = take_text(ldns_rdf2str(ldns_rr_owner(question)));
  }
  const ldns_rr_list* answers = ldns_pkt_answer(raw);
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(answers); ++i) {
    const ldns_rr* record = ldns_rr_list_rr(answers, i);
    reply.answers.push_back(take_text(ldns_rr_type2str(ldns_rr_get_type(record))) + " " +
                            take_text(ldns_rdf2str(ldns_rr_rdf(record, 0))));
    reply.owners.push_back(take_text(ldns_rdf2str(ldns_rr_owner(record))));
    reply.ttls.push_back(ldns_rr_ttl(record));
  }
  reply.edns = ldns_pkt_edns(raw);
  reply.edns_size = ldns_pkt_edns_udp_size(raw);
  reply.extended_rcode = ldns_pkt_edns_extended_rcode(raw);
  reply.dnssec_ok = ldns_pkt_edns_do(raw);
  return reply;
}

Bytes make_reply(DnsBytes query, unsigned rcode, const std::vector<std::string>& addresses,
                 bool truncated) {
  std::size_t behind = kDnsHeaderSize;
  while (query[behind] != 0) behind += 1U + query[behind];
  behind += 5;
  Bytes bytes(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(behind));
  bytes[2] = static_cast<std::uint8_t>(0x81 | (truncated ? 0x02 : 0));
  bytes[3] = static_cast<std::uint8_t>(0x80 | rcode);
  bytes[6] = static_cast<std::uint8_t>(addresses.size() >> 8);
  bytes[7] = static_cast<std::uint8_t>(addresses.size() & 0xff);
  bytes[10] = bytes[11] = 0;
  for (const std::string& address : addresses) {
    for (const unsigned value : {0xc00cU, 1U, 1U, 0U, 300U, 4U}) put16(bytes, value);
    Bytes data(4);
    ::inet_pton(AF_INET, address.c_str(), data.data());
    bytes.insert(bytes.end(), data.begin(), data.end());
  }
  return bytes;
}

}  // namespace network::test
