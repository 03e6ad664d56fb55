#include "network/foreign_firewall.hpp"

#include <gtest/gtest.h>

namespace network {
namespace {

TEST(ForeignFirewall, ReadsPolicyAndOwnRules) {
  const ForwardChain chain = parse_forward_chain(R"({"nftables": [{"metainfo": {}},
      {"chain": {"family": "ip", "table": "filter", "name": "FORWARD", "policy": "drop"}},
      {"rule": {"handle": 7, "comment": "stack: uplinks"}},
      {"rule": {"handle": 8, "comment": "another"}}, {"rule": {"handle": 9}}]})");
  EXPECT_TRUE(chain.drops);
  EXPECT_EQ(chain.ours, std::vector<std::uint64_t>{7});
}

TEST(ForeignFirewall, StrangeTextIsAChainThatDoesNothing) {
  for (const char* text : {"", "{", "[]", "{\"nftables\":[]}"}) {
    EXPECT_FALSE(parse_forward_chain(text).drops) << text;
  }
}

}  // namespace
}  // namespace network
