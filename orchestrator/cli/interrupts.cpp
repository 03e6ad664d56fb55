#include "orchestrator/cli/interrupts.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include "runtime/os/error.hpp"

namespace cli {

Interrupts::Interrupts(std::initializer_list<int> signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : signals) ::sigaddset(&set, signal);
  os::check(::sigprocmask(SIG_BLOCK, &set, &before_), [] { return std::string("block signals"); });
  fd_.reset(os::check(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
                      [] { return std::string("open a signalfd"); }));
}

Interrupts::~Interrupts() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

std::optional<int> Interrupts::take() {
  signalfd_siginfo info{};
  const ssize_t size = ::read(fd_.get(), &info, sizeof info);
  if (size != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace cli
