#include "network/netlink.hpp"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "runtime/os/error.hpp"
#include "runtime/os/namespace.hpp"

namespace network {

namespace {

constexpr std::size_t kReceiveBuffer = 64 * 1024;
constexpr int kDumpTries = 10;

/// The kernel's own explanation at the end of an NLMSG_ERROR, "" when there is none.
std::string extended_ack(const nlmsghdr& header, const nlmsgerr& error) {
  if ((header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
  std::size_t offset = NLMSG_HDRLEN + sizeof(nlmsgerr);
  // Without NLM_F_CAPPED the kernel repeats the payload of the request before the attributes.
  if ((header.nlmsg_flags & NLM_F_CAPPED) == 0) {
    offset += NLMSG_ALIGN(error.msg.nlmsg_len) - NLMSG_HDRLEN;
  }
  const char* const start = reinterpret_cast<const char*>(&header);
  while (offset + NLA_HDRLEN <= header.nlmsg_len) {
    nlattr attribute{};
    std::memcpy(&attribute, start + offset, sizeof(attribute));
    if (attribute.nla_len < NLA_HDRLEN || offset + attribute.nla_len > header.nlmsg_len) break;
    if ((attribute.nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG) {
      const std::size_t length = attribute.nla_len - static_cast<std::size_t>(NLA_HDRLEN);
      return std::string(start + offset + NLA_HDRLEN,
                         ::strnlen(start + offset + NLA_HDRLEN, length));
    }
    offset += NLA_ALIGN(attribute.nla_len);
  }
  return {};
}

os::Error failure(int errnum, const std::string& purpose, const std::string& words) {
  return {errnum, words.empty() ? purpose : purpose + " (" + words + ")"};
}

}  // namespace

NetlinkMessage::NetlinkMessage(int type, int flags, std::string purpose)
    : message_(::nlmsg_alloc()), purpose_(std::move(purpose)) {
  if (!message_) throw os::Error(ENOMEM, purpose_);
  ::nlmsg_put(message_.get(), 0, 0, type, 0, NLM_F_REQUEST | flags);
}

void NetlinkMessage::append(const void* data, std::size_t size) {
  void* const place = ::nlmsg_reserve(message_.get(), size, NLMSG_ALIGNTO);
  if (place == nullptr) throw os::Error(EMSGSIZE, purpose_);
  std::memcpy(place, data, size);
}

NetlinkMessage& NetlinkMessage::put(int attribute, const void* data, std::size_t size) {
  if (::nla_put(message_.get(), attribute, static_cast<int>(size), data) != 0) {
    throw os::Error(EMSGSIZE, purpose_);
  }
  return *this;
}

NetlinkMessage& NetlinkMessage::put_u8(int attribute, std::uint8_t value) {
  return put(attribute, &value, sizeof(value));
}

NetlinkMessage& NetlinkMessage::put_u32(int attribute, std::uint32_t value) {
  return put(attribute, &value, sizeof(value));
}

NetlinkMessage& NetlinkMessage::put_string(int attribute, const std::string& value) {
  return put(attribute, value.c_str(), value.size() + 1);
}

NetlinkMessage& NetlinkMessage::put_address(int attribute, const IpAddress& address) {
  return put(attribute, address.data(), address.size());
}

NetlinkMessage& NetlinkMessage::nest(int attribute,
                                     const std::function<void(NetlinkMessage&)>& inside) {
  nlattr* const start = ::nla_nest_start(message_.get(), attribute);
  if (start == nullptr) throw os::Error(EMSGSIZE, purpose_);
  inside(*this);
  // An empty nest is dropped by nla_nest_end(); its _keep_empty twin keeps what was asked for.
  ::nla_nest_end_keep_empty(message_.get(), start);
  return *this;
}

nlmsghdr* NetlinkMessage::raw() const noexcept { return ::nlmsg_hdr(message_.get()); }

NetlinkMessage& NetlinkMessage::tolerate(int errnum) {
  tolerated_.push_back(errnum);
  return *this;
}

bool NetlinkMessage::tolerates(int errnum) const noexcept {
  return std::find(tolerated_.begin(), tolerated_.end(), errnum) != tolerated_.end();
}

NetlinkSocket::NetlinkSocket(int protocol) : buffer_(kReceiveBuffer) {
  fd_.reset(os::check(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol),
                      [] { return std::string("open a netlink socket"); }));
  const int on = 1;
  for (const int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK}) {
    // All are refinements that older kernels lack; what they say is parsed with care either way.
    ::setsockopt(fd_.get(), SOL_NETLINK, option, &on, sizeof(on));
  }
}

NetlinkSocket NetlinkSocket::inside(int netns, int protocol) {
  std::optional<NetlinkSocket> socket;
  os::in_network_namespace(netns, [&] { socket.emplace(protocol); });
  return std::move(*socket);
}

void NetlinkSocket::send(const std::vector<NetlinkMessage>& messages) {
  std::vector<std::byte> bytes;
  for (const NetlinkMessage& message : messages) {
    nlmsghdr* const header = message.raw();
    header->nlmsg_seq = ++sequence_;
    const std::byte* const data = reinterpret_cast<const std::byte*>(header);
    bytes.insert(bytes.end(), data, data + header->nlmsg_len);
    bytes.resize(NLMSG_ALIGN(bytes.size()));
  }
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  os::check(::sendto(fd_.get(), bytes.data(), bytes.size(), 0,
                     reinterpret_cast<const sockaddr*>(&kernel), sizeof(kernel)),
            [&] { return messages.front().purpose(); });
}

std::size_t NetlinkSocket::receive() {
  for (;;) {
    const ssize_t size = ::recv(fd_.get(), buffer_.data(), buffer_.size(), MSG_TRUNC);
    if (size < 0 && errno == EINTR) continue;
    os::check(size, [] { return std::string("read from a netlink socket"); });
    if (static_cast<std::size_t>(size) <= buffer_.size()) return static_cast<std::size_t>(size);
    throw os::Error(EMSGSIZE, "read from a netlink socket");
  }
}

void NetlinkSocket::request(NetlinkMessage message) {
  std::vector<NetlinkMessage> messages;
  messages.push_back(std::move(message));
  request(std::move(messages));
}

void NetlinkSocket::request(std::vector<NetlinkMessage> messages) {
  // As many per send as their answers surely fit into the receive buffer of the socket.
  constexpr std::size_t kBatch = 64;
  std::optional<os::Error> first;
  for (std::size_t begin = 0; begin < messages.size(); begin += kBatch) {
    const std::size_t end = std::min(begin + kBatch, messages.size());
    std::vector<NetlinkMessage> batch(
        std::make_move_iterator(messages.begin() + static_cast<std::ptrdiff_t>(begin)),
        std::make_move_iterator(messages.begin() + static_cast<std::ptrdiff_t>(end)));
    for (const NetlinkMessage& message : batch) message.raw()->nlmsg_flags |= NLM_F_ACK;
    const std::uint32_t base = sequence_ + 1;
    send(batch);
    std::size_t answered = 0;
    while (answered < batch.size()) {
      int left = static_cast<int>(receive());
      for (nlmsghdr* header = reinterpret_cast<nlmsghdr*>(buffer_.data());
           NLMSG_OK(header, static_cast<unsigned>(left)); header = NLMSG_NEXT(header, left)) {
        const std::uint32_t index = header->nlmsg_seq - base;
        if (header->nlmsg_type != NLMSG_ERROR || index >= batch.size()) continue;
        const nlmsgerr& error = *static_cast<nlmsgerr*>(NLMSG_DATA(header));
        ++answered;
        if (error.error == 0 || batch[index].tolerates(-error.error) || first) continue;
        first = failure(-error.error, batch[index].purpose(), extended_ack(*header, error));
      }
    }
  }
  if (first) throw os::Error(*first);
}

NetlinkSocket::Listing NetlinkSocket::read_listing(const NetlinkMessage& request,
                                                   const std::function<void(nlmsghdr&)>& each) {
  bool interrupted = false;
  for (;;) {
    int left = static_cast<int>(receive());
    for (nlmsghdr* header = reinterpret_cast<nlmsghdr*>(buffer_.data());
         NLMSG_OK(header, static_cast<unsigned>(left)); header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_seq != sequence_) continue;
      interrupted = interrupted || (header->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (header->nlmsg_type == NLMSG_DONE) {
        return interrupted ? Listing::interrupted : Listing::complete;
      }
      if (header->nlmsg_type == NLMSG_ERROR) {
        const nlmsgerr& error = *static_cast<nlmsgerr*>(NLMSG_DATA(header));
        throw failure(-error.error, request.purpose(), extended_ack(*header, error));
      }
      each(*header);
    }
  }
}

void NetlinkSocket::dump(NetlinkMessage message, const std::function<void()>& reset,
                         const std::function<void(nlmsghdr&)>& each) {
  message.raw()->nlmsg_flags |= NLM_F_DUMP;
  std::vector<NetlinkMessage> messages;
  messages.push_back(std::move(message));
  for (int tried = 0; tried < kDumpTries; ++tried) {
    reset();
    send(messages);
    try {
      if (read_listing(messages.front(), each) == Listing::complete) return;
    } catch (const os::Error& error) {
      if (error.code() != ENOBUFS) throw;
    }
  }
  throw os::Error(EAGAIN, messages.front().purpose());
}

bool NetlinkSocket::get(NetlinkMessage message, const std::function<void(nlmsghdr&)>& each) {
  message.raw()->nlmsg_flags |= NLM_F_ACK;
  std::vector<NetlinkMessage> messages;
  messages.push_back(std::move(message));
  send(messages);
  for (;;) {
    int left = static_cast<int>(receive());
    for (nlmsghdr* header = reinterpret_cast<nlmsghdr*>(buffer_.data());
         NLMSG_OK(header, static_cast<unsigned>(left)); header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_seq != sequence_) continue;
      if (header->nlmsg_type != NLMSG_ERROR) {
        each(*header);
        continue;
      }
      const nlmsgerr& error = *static_cast<nlmsgerr*>(NLMSG_DATA(header));
      if (error.error == 0) return true;
      if (error.error == -ENODEV || error.error == -ENOENT) return false;
      throw failure(-error.error, messages.front().purpose(), extended_ack(*header, error));
    }
  }
}

}  // namespace network
