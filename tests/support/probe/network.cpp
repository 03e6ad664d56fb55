#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>

#include "tests/support/probe/probe.hpp"

namespace probe {
namespace {

struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;
};

// ADDRESS is v4 or v6 in numbers: the static C library's resolver would need its plugins.
std::optional<Endpoint> endpoint(const std::string& address, long port) {
  Endpoint result;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&result.address);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.address);
  if (::inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<std::uint16_t>(port));
    result.size = sizeof *v4;
    return result;
  }
  if (::inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<std::uint16_t>(port));
    result.size = sizeof *v6;
    return result;
  }
  return std::nullopt;
}

std::string text(const sockaddr_storage& address) {
  char buffer[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, buffer, sizeof buffer);
  } else if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, buffer, sizeof buffer);
  }
  const std::string result = buffer;
  return result.rfind("::ffff:", 0) == 0 ? result.substr(7) : result;
}

void set_timeout(int fd, long milliseconds) {
  const timeval time{.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

// A socket for both families, bound to every address at PORT.
int bound_socket(int type, long port) {
  const int fd = ::socket(AF_INET6, type | SOCK_CLOEXEC, 0);
  const int off = 0, on = 1;
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(static_cast<std::uint16_t>(port));
  if (fd >= 0) {
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any) == 0) return fd;
    if (errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT) return -1;
    ::close(fd);
  }
  const int v4_fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = any.sin6_port;
  if (v4_fd < 0) return -1;
  ::setsockopt(v4_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return ::bind(v4_fd, reinterpret_cast<sockaddr*>(&v4), sizeof v4) == 0 ? v4_fd : -1;
}

void end_on_term(int) { ::_exit(0); }

void answer(int client, const std::string& name) {
  char request[4096];
  set_timeout(client, 2000);
  const ssize_t count = ::recv(client, request, sizeof request - 1, 0);
  request[count > 0 ? count : 0] = '\0';
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  ::getpeername(client, reinterpret_cast<sockaddr*>(&peer), &size);
  const std::string body = "name=" + name + " peer=" + text(peer) + "\n";
  const std::string reply =
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  if (::send(client, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) return;
  ::shutdown(client, SHUT_WR);
  while (::recv(client, request, sizeof request, 0) > 0) continue;
}

// Answers every request with "name=NAME peer=ADDRESS"; NAME is the host name unless given.
int serve_http(const Arguments& arguments) {
  ::signal(SIGTERM, end_on_term);
  ::signal(SIGINT, end_on_term);
  char name[65] = "";
  ::gethostname(name, sizeof name - 1);
  const int listener = bound_socket(SOCK_STREAM, number(arguments, 0, 80));
  if (listener < 0 || ::listen(listener, 64) != 0) return failed("listen");
  std::puts("ready");
  for (;;) {
    const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    answer(client, argument(arguments, 1, name));
    ::close(client);
  }
}

// Sends every datagram back with the sender's address in front.
int serve_udp(const Arguments& arguments) {
  ::signal(SIGTERM, end_on_term);
  const int fd = bound_socket(SOCK_DGRAM, number(arguments, 0, 53));
  if (fd < 0) return failed("bind");
  std::puts("ready");
  for (;;) {
    char buffer[2048];
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const ssize_t count =
        ::recvfrom(fd, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&peer), &size);
    if (count < 0) continue;
    const std::string reply =
        "peer=" + text(peer) + " " + std::string(buffer, static_cast<std::size_t>(count));
    ::sendto(fd, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&peer), size);
  }
}

std::string build_query(const std::string& name, std::uint16_t type) {
  std::string query("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12);
  std::size_t start = 0;
  while (start < name.size()) {
    const std::size_t dot = std::min(name.find('.', start), name.size());
    query += static_cast<char>(dot - start);
    query += name.substr(start, dot - start);
    start = dot + 1;
  }
  query += '\0';
  query += static_cast<char>(type >> 8);
  query += static_cast<char>(type & 0xff);
  query += std::string("\x00\x01", 2);
  return query;
}

std::uint16_t type_number(const std::string& type) {
  if (type == "AAAA") return 28;
  if (type == "PTR") return 12;
  if (type == "MX") return 15;
  if (type == "TXT") return 16;
  return 1;
}

std::size_t skip_name(const std::string& reply, std::size_t at) {
  while (at < reply.size()) {
    const auto length = static_cast<unsigned char>(reply[at]);
    if (length >= 0xc0) return at + 2;
    if (length == 0) return at + 1;
    at += length + 1U;
  }
  return at;
}

std::string read_name(const std::string& reply, std::size_t at) {
  std::string name;
  for (int jumps = 0; at < reply.size() && jumps < 16;) {
    const auto length = static_cast<unsigned char>(reply[at]);
    if (length == 0) break;
    if (length >= 0xc0) {
      if (at + 1 >= reply.size()) break;
      at = (length & 0x3fU) << 8 | static_cast<unsigned char>(reply[at + 1]);
      ++jumps;
      continue;
    }
    if (!name.empty()) name += '.';
    name += reply.substr(at + 1, length);
    at += length + 1U;
  }
  return name;
}

unsigned word(const std::string& reply, std::size_t at) {
  if (at + 1 >= reply.size()) return 0;
  return static_cast<unsigned>(static_cast<unsigned char>(reply[at])) << 8 |
         static_cast<unsigned char>(reply[at + 1]);
}

// "rcode=N" and a line for each answer that has an address or a name.
int print_reply(const std::string& reply) {
  if (reply.size() < 12) return failed("short reply");
  const unsigned rcode = word(reply, 2) & 0xfU;
  const unsigned answers = word(reply, 6);
  std::printf("rcode=%u answers=%u\n", rcode, answers);
  std::size_t at = skip_name(reply, 12) + 4;
  for (unsigned i = 0; i < answers && at + 10 < reply.size(); ++i) {
    at = skip_name(reply, at);
    const unsigned type = word(reply, at);
    const unsigned length = word(reply, at + 8);
    at += 10;
    char buffer[INET6_ADDRSTRLEN] = "";
    if (type == 1 && at + 4 <= reply.size())
      std::puts(::inet_ntop(AF_INET, reply.data() + at, buffer, sizeof buffer));
    else if (type == 28 && at + 16 <= reply.size())
      std::puts(::inet_ntop(AF_INET6, reply.data() + at, buffer, sizeof buffer));
    else if (type == 12)
      std::puts(read_name(reply, at).c_str());
    at += length;
  }
  return rcode == 0 ? 0 : 1;
}

std::optional<std::string> exchange_udp(int fd, const std::string& query) {
  if (::send(fd, query.data(), query.size(), MSG_NOSIGNAL) < 0) return std::nullopt;
  char buffer[4096];
  const ssize_t count = ::recv(fd, buffer, sizeof buffer, 0);
  if (count < 0) return std::nullopt;
  return std::string(buffer, static_cast<std::size_t>(count));
}

std::optional<std::string> exchange_tcp(int fd, const std::string& query) {
  const std::string framed =
      std::string{static_cast<char>(query.size() >> 8), static_cast<char>(query.size() & 0xff)} +
      query;
  if (::send(fd, framed.data(), framed.size(), MSG_NOSIGNAL) < 0) return std::nullopt;
  std::string reply;
  for (;;) {
    char buffer[4096];
    const ssize_t count = ::recv(fd, buffer, sizeof buffer, 0);
    if (count <= 0) break;
    reply.append(buffer, static_cast<std::size_t>(count));
    if (reply.size() >= 2 && reply.size() >= word(reply, 0) + 2U) return reply.substr(2);
  }
  return std::nullopt;
}

// One DNS question as it stands, with no search list: NAME [TYPE [udp|tcp [SERVER]]].
int resolve(const Arguments& arguments) {
  const bool tcp = argument(arguments, 2, "udp") == "tcp";
  const auto server = endpoint(argument(arguments, 3, "127.0.0.11"), 53);
  if (!server) return failed("server address");
  const int fd =
      ::socket(server->address.ss_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
  set_timeout(fd, 15000);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&server->address), server->size) != 0)
    return failed("connect");
  const std::string query =
      build_query(argument(arguments, 0), type_number(argument(arguments, 1, "A")));
  const auto reply = tcp ? exchange_tcp(fd, query) : exchange_udp(fd, query);
  ::close(fd);
  return reply ? print_reply(*reply) : failed("no reply");
}

std::string first_address(const std::string& host) {
  if (endpoint(host, 0)) return host;
  const auto server = endpoint("127.0.0.11", 53);
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  set_timeout(fd, 5000);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&server->address), server->size) != 0)
    return {};
  const auto reply = exchange_udp(fd, build_query(host, 1));
  ::close(fd);
  if (!reply || reply->size() < 16 || word(*reply, 6) == 0) return {};
  const std::size_t at = skip_name(*reply, skip_name(*reply, 12) + 4) + 10;
  char buffer[INET_ADDRSTRLEN] = "";
  if (at + 4 <= reply->size()) ::inet_ntop(AF_INET, reply->data() + at, buffer, sizeof buffer);
  return buffer;
}

// connect(2) to HOST PORT, waiting at most MS: prints "ok" or why not.
int connect_to(const Arguments& arguments) {
  const std::string address = first_address(argument(arguments, 0));
  const auto target = endpoint(address, number(arguments, 1, 80));
  if (!target) {
    std::puts("unknown host");
    return 1;
  }
  const int fd = ::socket(target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  set_timeout(fd, number(arguments, 2, 1500));
  const int result =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&target->address), target->size);
  const int errnum = errno;
  ::close(fd);
  if (result == 0) std::puts("ok");
  // A connect that ran out of SO_SNDTIMEO reports EINPROGRESS.
  else
    std::puts(errnum == EINPROGRESS ? "ETIMEDOUT" : errno_name(errnum).c_str());
  return result == 0 ? 0 : 1;
}

// The body that HOST PORT answers to GET /.
int get_http(const Arguments& arguments) {
  const auto target = endpoint(first_address(argument(arguments, 0)), number(arguments, 1, 80));
  if (!target) {
    std::puts("unknown host");
    return 1;
  }
  const int fd = ::socket(target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  set_timeout(fd, 3000);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&target->address), target->size) != 0)
    return failed("connect");
  const std::string request = "GET / HTTP/1.0\r\n\r\n";
  if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) return failed("send");
  std::string reply;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
    reply.append(buffer, static_cast<std::size_t>(count));
  ::close(fd);
  const std::size_t body = reply.find("\r\n\r\n");
  if (body == std::string::npos) return failed("no answer");
  std::fputs(reply.c_str() + body + 4, stdout);
  return 0;
}

int exchange_datagram(const Arguments& arguments) {
  const auto target = endpoint(first_address(argument(arguments, 0)), number(arguments, 1, 53));
  if (!target) return failed("unknown host");
  const int fd = ::socket(target->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  set_timeout(fd, 2000);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&target->address), target->size) != 0)
    return failed("connect");
  const auto reply = exchange_udp(fd, argument(arguments, 2, "ping"));
  ::close(fd);
  if (!reply) return failed("no reply");
  std::puts(reply->c_str());
  return 0;
}

// "INTERFACE ADDRESS" for every address that is not link-local.
int addresses(const Arguments&) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return failed("getifaddrs");
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    sockaddr_storage address{};
    const int family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    std::memcpy(&address, entry->ifa_addr,
                family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const std::string shown = text(address);
    if (shown.rfind("fe80:", 0) != 0) std::printf("%s %s\n", entry->ifa_name, shown.c_str());
  }
  ::freeifaddrs(list);
  return 0;
}

}  // namespace

const std::vector<Verb>& network_verbs() {
  static const std::vector<Verb> verbs = {
      {"http", "PORT [NAME]   serve", serve_http},
      {"udp", "PORT   serve", serve_udp},
      {"resolve", "NAME [TYPE [udp|tcp [SERVER]]]", resolve},
      {"connect", "HOST PORT [MS]", connect_to},
      {"get", "HOST PORT", get_http},
      {"datagram", "HOST PORT [TEXT]", exchange_datagram},
      {"addresses", "", addresses},
  };
  return verbs;
}

}  // namespace probe
