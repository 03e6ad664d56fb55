#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <unordered_map>

#include "runtime/monitor/relay.hpp"
#include "runtime/os/error.hpp"

namespace monitor {

namespace {

constexpr std::chrono::seconds kIdle{90};
constexpr std::size_t kMaxFlows = 4096;
alignas(64) char datagram[64 * 1024];
using Control = std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))>;

/// A sender and the socket that stands for it on the container's side.
struct Flow {
  SocketAddress client;
  Control local{};  ///< the address it wrote to, for the answers to come from
  std::size_t local_size = 0;
  os::UniqueFd server;
  EventLoop::Clock::time_point last;
};

class UdpRelay : public Relay {
 public:
  UdpRelay(EventLoop& loop, os::UniqueFd socket, SocketAddress to)
      : loop_(loop), socket_(std::move(socket)), to_(to) {
    os::set_nonblocking(socket_.get());
    const int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    ::setsockopt(socket_.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    loop_.add(socket_.get(), EPOLLIN, [this](std::uint32_t) { receive(); });
    sweep_later();
  }
  UdpRelay(const UdpRelay&) = delete;
  UdpRelay& operator=(const UdpRelay&) = delete;
  ~UdpRelay() override {
    loop_.cancel(sweep_);
    loop_.remove(socket_.get());
    for (const auto& [key, flow] : flows_) loop_.remove(flow.server.get());
  }

 private:
  void receive() {
    SocketAddress client;
    Control control{};
    iovec part{.iov_base = datagram, .iov_len = sizeof datagram};
    msghdr header{};
    header.msg_name = client.get();
    header.msg_namelen = sizeof client.storage;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t n = ::recvmsg(socket_.get(), &header, 0);
    if (n < 0) return;
    client.size = header.msg_namelen;
    Flow* flow = find(client, header);
    if (flow == nullptr) return;
    flow->last = EventLoop::Clock::now();
    ::send(flow->server.get(), datagram, static_cast<std::size_t>(n), MSG_NOSIGNAL);
  }

  Flow* find(const SocketAddress& client, msghdr& header) {
    const std::string key = client.key();
    const auto found = flows_.find(key);
    if (found != flows_.end()) return &found->second;
    if (flows_.size() >= kMaxFlows) sweep(std::chrono::seconds(1));
    if (flows_.size() >= kMaxFlows) return nullptr;
    Flow flow;
    flow.client = client;
    keep_local_address(flow, header);
    flow.server =
        os::UniqueFd(::socket(to_.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!flow.server || ::connect(flow.server.get(), to_.get(), to_.size) != 0) return nullptr;
    loop_.add(flow.server.get(), EPOLLIN, [this, key](std::uint32_t) { answer(key); });
    return &flows_.emplace(key, std::move(flow)).first->second;
  }

  /// The packet info of what came in, made into that of what goes out: the interface is left to
  /// routing.
  static void keep_local_address(Flow& flow, msghdr& header) {
    for (cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr;
         item = CMSG_NXTHDR(&header, item)) {
      if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
        in_pktinfo info{};
        std::memcpy(&info, CMSG_DATA(item), sizeof info);
        info.ipi_ifindex = 0;
        info.ipi_spec_dst = info.ipi_addr;
        std::memcpy(CMSG_DATA(item), &info, sizeof info);
      } else if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
        in6_pktinfo info{};
        std::memcpy(&info, CMSG_DATA(item), sizeof info);
        if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = 0;
        std::memcpy(CMSG_DATA(item), &info, sizeof info);
      } else {
        continue;
      }
      flow.local_size = CMSG_SPACE(item->cmsg_len - CMSG_LEN(0));
      std::memcpy(flow.local.data(), item, item->cmsg_len);
      return;
    }
  }

  void answer(const std::string& key) {
    Flow& flow = flows_.at(key);
    const ssize_t n = ::recv(flow.server.get(), datagram, sizeof datagram, 0);
    if (n < 0) return;  // nobody listens there yet (ECONNREFUSED), or nothing came
    flow.last = EventLoop::Clock::now();
    iovec part{.iov_base = datagram, .iov_len = static_cast<std::size_t>(n)};
    msghdr header{};
    header.msg_name = flow.client.get();
    header.msg_namelen = flow.client.size;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (flow.local_size > 0) {
      header.msg_control = flow.local.data();
      header.msg_controllen = flow.local_size;
    }
    ::sendmsg(socket_.get(), &header, MSG_NOSIGNAL);
  }

  void sweep_later() {
    sweep_ = loop_.after(kIdle / 3, [this] {
      sweep(kIdle);
      sweep_later();
    });
  }

  void sweep(std::chrono::seconds idle) {
    const auto limit = EventLoop::Clock::now() - idle;
    for (auto flow = flows_.begin(); flow != flows_.end();) {
      if (flow->second.last >= limit) {
        ++flow;
        continue;
      }
      loop_.remove(flow->second.server.get());
      flow = flows_.erase(flow);
    }
  }

  EventLoop& loop_;
  os::UniqueFd socket_;
  SocketAddress to_;
  std::unordered_map<std::string, Flow> flows_;
  EventLoop::TimerId sweep_ = 0;
};

}  // namespace

std::unique_ptr<Relay> relay_udp(EventLoop& loop, os::UniqueFd socket, SocketAddress to) {
  return std::make_unique<UdpRelay>(loop, std::move(socket), to);
}

}  // namespace monitor
