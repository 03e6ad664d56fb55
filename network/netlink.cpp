#include "network/netlink.hpp"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/os/error.hpp"
#include "runtime/os/namespace.hpp"

namespace network {

namespace {

constexpr std::size_t kReceiveBuffer = 64 * 1024;
constexpr int kDumpTries = 10;

constexpr std::size_t kMessageHeader = sizeof(nlmsghdr);
constexpr std::size_t kAttributeHeader = sizeof(nlattr);

constexpr std::size_t aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

/// The kernel's own explanation at the end of an NLMSG_ERROR, "" when there is none.
std::string extended_ack(const nlmsghdr& header, const nlmsgerr& error) {
  if ((header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
  std::size_t offset = kMessageHeader + sizeof(nlmsgerr);
  // Without NLM_F_CAPPED the kernel repeats the payload of the request before the attributes.
  if ((header.nlmsg_flags & NLM_F_CAPPED) == 0) {
    offset += aligned(error.msg.nlmsg_len) - kMessageHeader;
  }
  const char* const start = reinterpret_cast<const char*>(&header);
  while (offset + kAttributeHeader <= header.nlmsg_len) {
    nlattr attribute{};
    std::memcpy(&attribute, start + offset, sizeof(attribute));
    const std::size_t length = attribute.nla_len;
    if (length < kAttributeHeader || offset + length > header.nlmsg_len) break;
    if ((attribute.nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG) {
      const char* const text = start + offset + kAttributeHeader;
      return std::string(text, ::strnlen(text, length - kAttributeHeader));
    }
    offset += aligned(length);
  }
  return {};
}

/// The error of an NLMSG_ERROR that is long enough to have one; 0 is an acknowledgement.
const nlmsgerr& error_of(nlmsghdr& header, const std::string& purpose) {
  if (header.nlmsg_len < kMessageHeader + sizeof(nlmsgerr)) throw os::Error(EBADMSG, purpose);
  return *reinterpret_cast<const nlmsgerr*>(&header + 1);
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

void NetlinkSocket::send(std::span<const NetlinkMessage> messages) {
  std::vector<std::byte> bytes;
  for (const NetlinkMessage& message : messages) {
    nlmsghdr* const header = message.raw();
    header->nlmsg_seq = ++sequence_;
    const std::byte* const data = reinterpret_cast<const std::byte*>(header);
    bytes.insert(bytes.end(), data, data + header->nlmsg_len);
    bytes.resize(aligned(bytes.size()));
  }
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  os::check(::sendto(fd_.get(), bytes.data(), bytes.size(), 0,
                     reinterpret_cast<const sockaddr*>(&kernel), sizeof(kernel)),
            [&] { return messages.front().purpose(); });
}

void NetlinkSocket::receive(const std::function<void(nlmsghdr&)>& each) {
  ssize_t received = 0;
  do {
    received = ::recv(fd_.get(), buffer_.data(), buffer_.size(), MSG_TRUNC);
  } while (received < 0 && errno == EINTR);
  os::check(received, [] { return std::string("read from a netlink socket"); });
  const auto size = static_cast<std::size_t>(received);
  if (size > buffer_.size()) throw os::Error(EMSGSIZE, "read from a netlink socket");
  for (std::size_t offset = 0; offset + kMessageHeader <= size;) {
    nlmsghdr& header = *reinterpret_cast<nlmsghdr*>(buffer_.data() + offset);
    if (header.nlmsg_len < kMessageHeader || header.nlmsg_len > size - offset) break;
    each(header);
    offset += aligned(header.nlmsg_len);
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
    const std::size_t size = std::min(kBatch, messages.size() - begin);
    std::optional<os::Error> failed = request_batch(std::span(messages).subspan(begin, size));
    if (!first) first = std::move(failed);
  }
  if (first) throw *first;
}

std::optional<os::Error> NetlinkSocket::request_batch(std::span<const NetlinkMessage> batch) {
  for (const NetlinkMessage& message : batch) message.raw()->nlmsg_flags |= NLM_F_ACK;
  const std::uint32_t base = sequence_ + 1;
  send(batch);
  std::optional<os::Error> first;
  for (std::size_t answered = 0; answered < batch.size();) {
    receive([&](nlmsghdr& header) {
      const std::uint32_t index = header.nlmsg_seq - base;
      if (header.nlmsg_type != NLMSG_ERROR || index >= batch.size()) return;
      const NetlinkMessage& message = batch[index];
      const nlmsgerr& error = error_of(header, message.purpose());
      ++answered;
      if (error.error == 0 || message.tolerates(-error.error) || first) return;
      first = failure(-error.error, message.purpose(), extended_ack(header, error));
    });
  }
  return first;
}

bool NetlinkSocket::read_listing(const NetlinkMessage& request,
                                 const std::function<void(nlmsghdr&)>& each) {
  bool interrupted = false;
  bool done = false;
  while (!done) {
    receive([&](nlmsghdr& header) {
      if (header.nlmsg_seq != sequence_) return;
      interrupted = interrupted || (header.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (header.nlmsg_type == NLMSG_DONE) {
        done = true;
      } else if (header.nlmsg_type == NLMSG_ERROR) {
        const nlmsgerr& error = error_of(header, request.purpose());
        throw failure(-error.error, request.purpose(), extended_ack(header, error));
      } else {
        each(header);
      }
    });
  }
  return !interrupted;
}

void NetlinkSocket::dump(NetlinkMessage message, const std::function<void()>& reset,
                         const std::function<void(nlmsghdr&)>& each) {
  message.raw()->nlmsg_flags |= NLM_F_DUMP;
  for (int tried = 0; tried < kDumpTries; ++tried) {
    reset();
    send(std::span(&message, 1));
    try {
      if (read_listing(message, each)) return;
    } catch (const os::Error& error) {
      if (error.code() != ENOBUFS) throw;
    }
  }
  throw os::Error(EAGAIN, message.purpose());
}

bool NetlinkSocket::get(NetlinkMessage message, const std::function<void(nlmsghdr&)>& each) {
  message.raw()->nlmsg_flags |= NLM_F_ACK;
  send(std::span(&message, 1));
  std::optional<int> result;
  while (!result) {
    receive([&](nlmsghdr& header) {
      if (header.nlmsg_seq != sequence_) return;
      if (header.nlmsg_type != NLMSG_ERROR) return each(header);
      const nlmsgerr& error = error_of(header, message.purpose());
      if (error.error != 0 && error.error != -ENODEV && error.error != -ENOENT) {
        throw failure(-error.error, message.purpose(), extended_ack(header, error));
      }
      result = error.error;
    });
  }
  return *result == 0;
}

}  // namespace network
