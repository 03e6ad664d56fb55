#include "network/firewall_watch.hpp"

#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <cstring>
#include <string>

namespace network {
namespace {

std::string padded(std::string bytes) {
  bytes.resize((bytes.size() + 3) / 4 * 4, '\0');
  return bytes;
}

template <class T>
std::string bytes_of(const T& value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

/// A notice about something in `table`, with an attribute before its name.
std::string notice(int type, std::uint8_t family, const std::string& table) {
  const std::string other = bytes_of(nlattr{.nla_len = 8, .nla_type = NFTA_TABLE_FLAGS}) + "abcd";
  const std::string name = table + '\0';
  const std::string body =
      bytes_of(nfgenmsg{.nfgen_family = family, .version = 0, .res_id = 0}) + other +
      padded(bytes_of(nlattr{.nla_len = static_cast<std::uint16_t>(4 + name.size()),
                             .nla_type = NFTA_TABLE_NAME}) +
             name);
  return bytes_of(
             nlmsghdr{.nlmsg_len = static_cast<std::uint32_t>(16 + body.size()),
                      .nlmsg_type = static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type),
                      .nlmsg_flags = 0,
                      .nlmsg_seq = 0,
                      .nlmsg_pid = 0}) +
         body;
}

TEST(FirewallWatchTest, HearsOfWhatIsTakenAway) {
  EXPECT_TRUE(tells_of_loss(notice(NFT_MSG_DELTABLE, NFPROTO_INET, "stack")));
  EXPECT_TRUE(tells_of_loss(notice(NFT_MSG_DELRULE, NFPROTO_INET, "stack")));
  EXPECT_TRUE(tells_of_loss(notice(NFT_MSG_NEWCHAIN, NFPROTO_IPV4, "filter")));
  EXPECT_TRUE(tells_of_loss(notice(NFT_MSG_NEWSETELEM, NFPROTO_INET, "stack") +
                            notice(NFT_MSG_DELTABLE, NFPROTO_INET, "stack")));
}

TEST(FirewallWatchTest, LeavesTheRestAlone) {
  EXPECT_FALSE(tells_of_loss(notice(NFT_MSG_DELTABLE, NFPROTO_IPV4, "stack")));
  EXPECT_FALSE(tells_of_loss(notice(NFT_MSG_DELTABLE, NFPROTO_INET, "stacks")));
  EXPECT_FALSE(tells_of_loss(notice(NFT_MSG_NEWRULE, NFPROTO_INET, "stack")));
  EXPECT_FALSE(tells_of_loss(notice(NFT_MSG_DELSETELEM, NFPROTO_INET, "stack")));
  EXPECT_FALSE(tells_of_loss({}));
}

TEST(FirewallWatchTest, NoLengthIsTrusted) {
  const std::string whole = notice(NFT_MSG_DELTABLE, NFPROTO_INET, "stack");
  for (std::size_t size = 0; size + 3 < whole.size(); ++size)
    EXPECT_FALSE(tells_of_loss({whole.data(), size})) << size;
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const char value : {'\0', '\1', '\xff'}) {
      std::string changed = whole;
      changed[at] = value;
      tells_of_loss(changed);  // the sanitizers watch
    }
}

}  // namespace
}  // namespace network
