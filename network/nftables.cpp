#include "network/nftables.hpp"

#include <netinet/in.h>
// Needs the above before it.
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <nftables/libnftables.h>
#include <sys/socket.h>

#include <memory>

#include "network/netlink.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/library.hpp"

namespace network {

namespace {

/// What we call of libnftables, which needs six more libraries: only a process that changes or
/// reads a firewall waits for them to be loaded.
struct Nftables {
  os::Library library{"libnftables.so.1"};
#define STACK_NFT(name) \
  decltype(::nft_##name)* name = library.function<decltype(::nft_##name)>("nft_" #name)
  STACK_NFT(ctx_new);
  STACK_NFT(ctx_free);
  STACK_NFT(ctx_buffer_error);
  STACK_NFT(ctx_buffer_output);
  STACK_NFT(ctx_get_error_buffer);
  STACK_NFT(ctx_get_output_buffer);
  STACK_NFT(ctx_output_set_flags);
  STACK_NFT(run_cmd_from_buffer);
#undef STACK_NFT
};

const Nftables& nft() {
  static const Nftables functions;
  return functions;
}

struct FreeContext {
  void operator()(nft_ctx* context) const noexcept { nft().ctx_free(context); }
};
using Context = std::unique_ptr<nft_ctx, FreeContext>;

/// A context is made anew for every call: it may reopen its socket while it works, and must then be
/// in the namespace of the caller.
Context make_context() {
  Context context(nft().ctx_new(NFT_CTX_DEFAULT));
  if (!context || nft().ctx_buffer_error(context.get()) != 0 ||
      nft().ctx_buffer_output(context.get()) != 0) {
    throw os::Error(ENOMEM, "start libnftables");
  }
  return context;
}

bool says_missing(const std::string& message) {
  return message.find("No such file or directory") != std::string::npos;
}

std::uint8_t protocol_family(const std::string& family) {
  if (family == "inet") return NFPROTO_INET;
  if (family == "ip6") return NFPROTO_IPV6;
  return NFPROTO_IPV4;
}

std::string first_line(const std::string& message) {
  std::string line = message.substr(0, message.find('\n'));
  return line.starts_with("Error: ") ? line.substr(7) : line;
}

}  // namespace

void nft_commit(const std::string& commands) {
  const Context context = make_context();
  if (nft().run_cmd_from_buffer(context.get(), commands.c_str()) == 0) return;
  const std::string message = nft().ctx_get_error_buffer(context.get());
  if (says_missing(message)) throw os::Error(ENOENT, "change the firewall");
  throw os::Error("change the firewall: " + first_line(message));
}

bool nft_has_table(const std::string& family, const std::string& table) {
  NetlinkMessage message((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE, 0,
                         "look for table '" + table + "'");
  nfgenmsg header{};
  header.nfgen_family = protocol_family(family);
  header.version = NFNETLINK_V0;
  message.header(header).put_string(NFTA_TABLE_NAME, table);
  return NetlinkSocket(NETLINK_NETFILTER).get(std::move(message), [](nlmsghdr&) {});
}

void nft_replace_table(const std::string& family, const std::string& table,
                       const std::string& ruleset) {
  const std::string removal = "delete table " + family + " " + table + "\n";
  nft_commit(nft_has_table(family, table) ? removal + ruleset : ruleset);
}

std::string nft_list(const std::string& command) {
  const Context context = make_context();
  nft().ctx_output_set_flags(context.get(), NFT_CTX_OUTPUT_JSON);
  if (nft().run_cmd_from_buffer(context.get(), command.c_str()) != 0) {
    const std::string message = nft().ctx_get_error_buffer(context.get());
    if (says_missing(message)) return {};
    throw os::Error("read the firewall: " + first_line(message));
  }
  return nft().ctx_get_output_buffer(context.get());
}

}  // namespace network
