#include "tests/kernel/network/synthetic_host.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <cstring>
#include <functional>
#include <thread>

#include "network/link.hpp"
#include "network/netlink.hpp"
#include "network/network.hpp"
#include "network/route.hpp"
#include "network/veth.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/namespace.hpp"

namespace network::testing {

namespace {

constexpr int kPatienceMs = 1500;  // a lost question for a neighbour is asked again after 1 s

void in(int netns, const std::function<void()>& work) {
  if (netns == kHere) {
    work();
  } else {
    os::in_network_namespace(netns, work);
  }
}

struct Name {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);

  Name() = default;
  Name(const std::string& text, std::uint16_t port) {
    const IpAddress address = IpAddress::parse(text).value();
    if (address.is_v4()) {
      auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
      v4.sin_family = AF_INET;
      v4.sin_port = htons(port);
      std::memcpy(&v4.sin_addr, address.data(), 4);
      size = sizeof(v4);
    } else {
      auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(port);
      std::memcpy(&v6.sin6_addr, address.data(), 16);
      size = sizeof(v6);
    }
  }
  int family() const { return storage.ss_family; }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  std::string text() const {
    if (family() == AF_INET) {
      const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
      return IpAddress::from_bytes(AF_INET, &v4.sin_addr).to_string();
    }
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    return IpAddress::from_bytes(AF_INET6, &v6.sin6_addr).to_string();
  }
};

bool ready(int fd, short events) {
  pollfd poller{.fd = fd, .events = events, .revents = 0};
  return ::poll(&poller, 1, kPatienceMs) == 1;
}

os::UniqueFd bound_socket(int netns, const std::string& address, std::uint16_t port, int type) {
  os::UniqueFd socket;
  in(netns, [&] {
    Name name(address, port);
    socket.reset(os::check(::socket(name.family(), type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                           [] { return std::string("socket"); }));
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    os::check(::bind(socket.get(), name.get(), name.size),
              [&] { return "bind " + address + " " + std::to_string(port); });
  });
  return socket;
}

void set_up_wire(NetlinkSocket& socket, const char* device, const char* v4, const char* v6) {
  const int index = link_index(socket, device);
  std::vector<NetlinkMessage> messages;
  messages.push_back(bring_link_up(link_index(socket, "lo"), "lo"));
  messages.push_back(add_address(index, IpAddress::parse(v4).value(), 24, device));
  messages.push_back(add_address(index, IpAddress::parse(v6).value(), 64, device));
  messages.push_back(bring_link_up(index, device));
  socket.request(std::move(messages));
}

}  // namespace

os::UniqueFd make_namespace() {
  os::UniqueFd result;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) == 0) {
      result.reset(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    }
  }).join();
  if (!result) throw os::Error("make a namespace for a test");
  return result;
}

void SyntheticHost::enter_own_namespaces() {
  os::check(::unshare(CLONE_NEWNET | CLONE_NEWNS), [] { return std::string("unshare"); });
  os::check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr),
            [] { return std::string("make mounts private"); });
}

SyntheticHost::SyntheticHost() : outside_(make_namespace()) {
  enter_own_namespaces();
  NetlinkSocket host;
  host.request(
      create_veth({.name = "eth0", .peer = "wire", .peer_netns = outside_.get(), .mtu = 1400}));
  set_up_wire(host, "eth0", "192.0.2.2", "fd00:2::2");
  const IpAddress neighbour = IpAddress::parse("192.0.2.9").value();
  host.request(add_default_route(neighbour, link_index(host, "eth0")));
  NetlinkSocket outside = NetlinkSocket::inside(outside_.get());
  set_up_wire(outside, "wire", "192.0.2.9", "fd00:2::9");
  for (const char* subnet : {"172.16.0.0/12", "100.64.0.0/10", "127.0.0.0/9"}) {
    outside.request(add_route(Subnet::parse(subnet).value(), IpAddress::parse("192.0.2.2").value(),
                              link_index(outside, "wire")));
  }
}

SyntheticHost::~SyntheticHost() {
  for (const std::string& project : Network::projects(run_dir())) {
    try {
      Network::discard(run_dir(), project);
    } catch (const os::Error&) {
      // The namespaces end with the process anyway; the directory shows what was left.
      continue;
    }
  }
}

os::UniqueFd listen_in(int netns, const std::string& address, std::uint16_t port) {
  os::UniqueFd socket = bound_socket(netns, address, port, SOCK_STREAM);
  os::check(::listen(socket.get(), 16), [] { return std::string("listen"); });
  return socket;
}

std::optional<std::string> reach(int netns, const std::string& address, std::uint16_t port,
                                 int listener) {
  Name to(address, port);
  os::UniqueFd client;
  int connected = -1;
  in(netns, [&] {
    client.reset(::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    connected = ::connect(client.get(), to.get(), to.size);
  });
  if (connected != 0 && errno != EINPROGRESS && netns == kHere) return std::nullopt;
  int error = 0;
  socklen_t size = sizeof(error);
  if (!ready(client.get(), POLLOUT) ||
      ::getsockopt(client.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0 ||
      !ready(listener, POLLIN)) {
    return std::nullopt;
  }
  Name from;
  const os::UniqueFd accepted(
      ::accept4(listener, from.get(), &from.size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!accepted) return std::nullopt;
  return from.text();
}

os::UniqueFd udp_in(int netns, const std::string& address, std::uint16_t port) {
  return bound_socket(netns, address, port, SOCK_DGRAM);
}

std::optional<std::string> send_datagram(int socket, const std::string& address, std::uint16_t port,
                                         int receiver) {
  Name to(address, port);
  if (::sendto(socket, "x", 1, 0, to.get(), to.size) != 1 || !ready(receiver, POLLIN)) {
    return std::nullopt;
  }
  Name from;
  char byte = 0;
  if (::recvfrom(receiver, &byte, 1, 0, from.get(), &from.size) != 1) return std::nullopt;
  // The answer must find its way back too.
  if (::sendto(receiver, "y", 1, 0, from.get(), from.size) != 1 || !ready(socket, POLLIN) ||
      ::recv(socket, &byte, 1, 0) != 1) {
    return std::nullopt;
  }
  return from.text();
}

std::vector<std::string> devices_in(int netns) {
  std::vector<std::string> names;
  in(netns, [&] {
    struct if_nameindex* const list = ::if_nameindex();
    for (struct if_nameindex* each = list; each != nullptr && each->if_index != 0; ++each) {
      names.emplace_back(each->if_name);
    }
    ::if_freenameindex(list);
  });
  return names;
}

}  // namespace network::testing
