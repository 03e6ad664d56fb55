// What a hostile program inside a container tries, in forms that harm nobody where they succeed.
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <set>

#include "tests/support/probe/probe.hpp"

namespace probe {
namespace {

long milliseconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

std::string link_of(const std::string& path) {
  char target[4096];
  const ssize_t length = ::readlink(path.c_str(), target, sizeof target);
  return length < 0 ? std::string() : std::string(target, static_cast<std::size_t>(length));
}

std::string name_of(const std::string& process) {
  char name[64] = {};
  const int fd = ::open((process + "/comm").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const ssize_t size = ::read(fd, name, sizeof name - 1);
  ::close(fd);
  return size > 0 ? std::string(name, static_cast<std::size_t>(size) - 1) : std::string();
}

// Whether the process runs a file of another root than this one, which no program of the container
// does. A process changes its executable before its name, and may be gone.
bool runs_foreign_file(const std::string& process) {
  struct stat executable {};
  struct stat here {};
  if (::stat((process + "/exe").c_str(), &executable) != 0) return false;
  return ::stat(link_of(process + "/exe").c_str(), &here) != 0 ||
         executable.st_dev != here.st_dev || executable.st_ino != here.st_ino;
}

// Whatever can be had of a process that is still the runtime.
void attack(pid_t pid, std::set<std::string>& found) {
  const std::string process = "/proc/" + std::to_string(pid);
  if (name_of(process) != "stack-runtime") return;
  found.insert("seen");
  const int executable = ::open((process + "/exe").c_str(), O_WRONLY | O_CLOEXEC);
  if ((executable >= 0 || errno == ETXTBSY) && runs_foreign_file(process))
    found.insert("EXECUTABLE");
  if (executable >= 0) ::close(executable);
  const std::string image = link_of(process + "/exe");
  if (!image.empty() && image.find("runtime") != std::string::npos) found.insert("PATH " + image);
  for (int fd = 0; fd < 64; ++fd) {
    const std::string target = link_of(process + "/fd/" + std::to_string(fd));
    // By now it may have become the program, whose descriptors are its own.
    if (!target.empty() && name_of(process) == "stack-runtime")
      found.insert("DESCRIPTOR " + target);
  }
  if (::ptrace(PTRACE_ATTACH, pid, nullptr, nullptr) != 0) return;
  ::waitpid(pid, nullptr, __WALL);
  if (name_of(process) == "stack-runtime") found.insert("TRACED");
  ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
}

// Looks at every process that comes up, for MS milliseconds; prints what it got hold of.
int watch_newcomers(const Arguments& arguments) {
  std::set<std::string> found;
  std::puts("watching");
  for (const long end = milliseconds_now() + number(arguments, 0, 1000);
       milliseconds_now() < end;) {
    DIR* directory = ::opendir("/proc");
    if (directory == nullptr) return failed("/proc");
    while (const dirent* entry = ::readdir(directory)) {
      const pid_t pid = std::atoi(entry->d_name);
      if (pid > 1 && pid != ::getpid()) attack(pid, found);
    }
    ::closedir(directory);
  }
  for (const std::string& what : found) std::puts(what.c_str());
  std::puts("done");
  return 0;
}

// Types into the terminal that is standard input, if it can.
int type_into_terminal(const Arguments& arguments) {
  int errnum = 0;
  for (const char letter : argument(arguments, 0, "x"))
    for (int fd = 0; fd < 3; ++fd)
      if (::ioctl(fd, TIOCSTI, &letter) != 0) errnum = errno;
  std::puts(errno_name(errnum).c_str());
  return 0;
}

// A router advertisement for everyone on INTERFACE: a prefix and a default route (RFC 4861).
int advertise_router(const Arguments& arguments) {
  struct {
    nd_router_advert header;
    nd_opt_prefix_info prefix;
  } message{};
  message.header.nd_ra_type = ND_ROUTER_ADVERT;
  message.header.nd_ra_curhoplimit = 64;
  message.header.nd_ra_router_lifetime = htons(1800);
  message.prefix.nd_opt_pi_type = ND_OPT_PREFIX_INFORMATION;
  message.prefix.nd_opt_pi_len = 4;
  message.prefix.nd_opt_pi_prefix_len = 64;
  message.prefix.nd_opt_pi_flags_reserved = ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO;
  message.prefix.nd_opt_pi_valid_time = htonl(3600);
  message.prefix.nd_opt_pi_preferred_time = htonl(3600);
  const unsigned char prefix[] = {0x20, 0x01, 0x0d, 0xb8, 0x0b, 0xad};
  std::memcpy(&message.prefix.nd_opt_pi_prefix, prefix, sizeof prefix);
  const int fd = ::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
  if (fd < 0) return failed("socket");
  const int hops = 255;
  ::setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops);
  sockaddr_in6 everyone{};
  everyone.sin6_family = AF_INET6;
  everyone.sin6_scope_id = ::if_nametoindex(argument(arguments, 0, "eth0").c_str());
  everyone.sin6_addr.s6_addr[0] = 0xff;
  everyone.sin6_addr.s6_addr[1] = 0x02;
  everyone.sin6_addr.s6_addr[15] = 1;
  const ssize_t sent = ::sendto(fd, &message, sizeof message, 0,
                                reinterpret_cast<const sockaddr*>(&everyone), sizeof everyone);
  ::close(fd);
  if (sent < 0) return failed("sendto");
  std::puts("sent");
  return 0;
}

// Changes the places of two names, as fast as it can, without end.
int flip(const Arguments& arguments) {
  std::puts("flipping");
  for (;;)
    if (::renameat2(AT_FDCWD, argument(arguments, 0).c_str(), AT_FDCWD,
                    argument(arguments, 1).c_str(), RENAME_EXCHANGE) != 0)
      return failed("renameat2");
}

}  // namespace

const std::vector<Verb>& attack_verbs() {
  static const std::vector<Verb> verbs = {
      {"watch", "MS   what it gets of processes that are still the runtime", watch_newcomers},
      {"type", "TEXT   into the terminal", type_into_terminal},
      {"flip", "PATH PATH   change places, without end", flip},
      {"advertise", "[INTERFACE]   a router", advertise_router},
  };
  return verbs;
}

}  // namespace probe
