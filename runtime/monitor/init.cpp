#include "runtime/monitor/init.hpp"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace monitor {

namespace {

constexpr int kSynchronous[] = {SIGFPE,  SIGILL, SIGSEGV, SIGBUS, SIGABRT,
                                SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU};

sigset_t forwarded_signals() {
  sigset_t signals;
  ::sigfillset(&signals);
  for (const int signal : kSynchronous) ::sigdelset(&signals, signal);
  return signals;
}

[[noreturn]] void become(const std::vector<std::string>& program, const sigset_t& mask) {
  // A process group of its own, in front on the terminal if there is one.
  ::setpgid(0, 0);
  ::signal(SIGTTOU, SIG_IGN);
  ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
  ::signal(SIGTTOU, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  std::vector<char*> arguments;
  for (const std::string& argument : program)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments.front(), arguments.data());
  const int reason = errno;
  std::fprintf(stderr, "%s: %s\n", arguments.front(), std::strerror(reason));
  ::_exit(reason == ENOENT || reason == ENOTDIR ? 127 : 126);
}

/// Reaps all that has ended; the exit code of `main` when that was among it, else -1.
int reap(pid_t main) {
  int code = -1;
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return code;
    if (pid != main) continue;
    code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
}

}  // namespace

int run_init(const std::vector<std::string>& program) {
  const sigset_t signals = forwarded_signals();
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, &signals, &before);
  const pid_t child = ::fork();
  if (child < 0) return 126;
  if (child == 0) become(program, before);
  for (;;) {
    siginfo_t info{};
    const int signal = ::sigwaitinfo(&signals, &info);
    if (signal < 0) continue;
    if (signal != SIGCHLD) {
      ::kill(child, signal);
      continue;
    }
    const int code = reap(child);
    if (code >= 0) return code;
  }
}

}  // namespace monitor
