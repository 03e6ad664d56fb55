// Netlink: messages built piece by piece, sent in batches, each answered; a failure carries what
// was asked for and the kernel's own words (extended acks). rtnetlink(7), netlink(7).
#pragma once

#include <netlink/msg.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "network/ip_address.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/fd.hpp"

namespace network {

/// One request being built.
class NetlinkMessage {
 public:
  /// `type` is RTM_* or, for other protocols, theirs; `flags` NLM_F_* beside REQUEST and ACK.
  /// `purpose` reads like "create bridge 'br0'" and is part of the error when it fails.
  NetlinkMessage(int type, int flags, std::string purpose);

  /// Appends the fixed header of the message's family (ifinfomsg, rtmsg, …).
  template <class Header>
  NetlinkMessage& header(const Header& value) {
    append(&value, sizeof(value));
    return *this;
  }
  NetlinkMessage& put(int attribute, const void* data, std::size_t size);
  NetlinkMessage& put_u8(int attribute, std::uint8_t value);
  NetlinkMessage& put_u32(int attribute, std::uint32_t value);
  NetlinkMessage& put_string(int attribute, const std::string& value);
  NetlinkMessage& put_address(int attribute, const IpAddress& address);
  /// Everything that `inside` puts becomes the content of `attribute`.
  NetlinkMessage& nest(int attribute, const std::function<void(NetlinkMessage&)>& inside);
  void append(const void* data, std::size_t size);

  nlmsghdr* raw() const noexcept;
  const std::string& purpose() const noexcept { return purpose_; }
  /// An answer with this errno is no failure (deleting what is gone, making what is there).
  NetlinkMessage& tolerate(int errnum);
  bool tolerates(int errnum) const noexcept;

 private:
  struct Free {
    void operator()(nl_msg* message) const noexcept { ::nlmsg_free(message); }
  };
  std::unique_ptr<nl_msg, Free> message_;
  std::string purpose_;
  std::vector<int> tolerated_;
};

/// A netlink socket; it belongs to the network namespace it was opened in.
class NetlinkSocket {
 public:
  /// In the calling thread's namespace; `protocol` is NETLINK_ROUTE or another.
  explicit NetlinkSocket(int protocol = 0);
  /// In the namespace `netns`.
  static NetlinkSocket inside(int netns, int protocol = 0);

  /// Sends all messages at once and waits for every answer. The kernel carries each of them out
  /// whatever became of those before it. Throws os::Error for the first failure.
  void request(std::vector<NetlinkMessage> messages);
  void request(NetlinkMessage message);

  /// Asks for a listing and calls `each` for every object. Starts anew, with a fresh `reset`,
  /// when the listing changed under way or the socket overflowed.
  void dump(NetlinkMessage message, const std::function<void()>& reset,
            const std::function<void(nlmsghdr&)>& each);
  /// Asks for one object; false when there is none (ENODEV, ENOENT).
  bool get(NetlinkMessage message, const std::function<void(nlmsghdr&)>& each);

 private:
  void send(std::span<const NetlinkMessage> messages);
  /// One datagram's messages.
  void receive(const std::function<void(nlmsghdr&)>& each);
  std::optional<os::Error> request_batch(std::span<const NetlinkMessage> batch);
  /// False when the listing changed under way.
  bool read_listing(const NetlinkMessage& request, const std::function<void(nlmsghdr&)>& each);

  os::UniqueFd fd_;
  std::uint32_t sequence_ = 0;
  std::vector<std::byte> buffer_;
};

}  // namespace network
