#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/support/probe/probe.hpp"

namespace probe {
namespace {

volatile sig_atomic_t last_signal = 0;

void note(int signal) { last_signal = signal; }

void catch_signal(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigaction(signal, &action, nullptr);
}

// Sleeps whatever the time; signals end it when `until_signal`.
[[noreturn]] void sleep_for_ever() {
  for (;;) ::pause();
}

int exit_with(const Arguments& arguments) {
  const long code = number(arguments, 0, 0);
  const long after_ms = number(arguments, 1, 0);
  ::usleep(static_cast<useconds_t>(after_ms) * 1000);
  return static_cast<int>(code);
}

// Serves nothing, ends at SIGTERM with the code given: a program that stops as it should.
int serve_until_term(const Arguments& arguments) {
  catch_signal(SIGTERM, note);
  catch_signal(SIGINT, note);
  sigset_t blocked, before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::sigaddset(&blocked, SIGINT);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);  // so that one that comes before the wait is kept
  std::puts("ready");
  while (last_signal == 0) ::sigsuspend(&before);
  std::printf("signal %d\n", static_cast<int>(last_signal));
  return static_cast<int>(number(arguments, 0, 0));
}

int ignore_term(const Arguments&) {
  catch_signal(SIGTERM, SIG_IGN);
  std::puts("ready");
  sleep_for_ever();
}

// Prints each signal that arrives, until SIGKILL.
int report_signals(const Arguments&) {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  std::puts("ready");
  for (;;) {
    int signal = 0;
    if (::sigwait(&all, &signal) == 0) std::printf("signal %d\n", signal);
  }
}

int die_by(const Arguments& arguments) {
  ::raise(static_cast<int>(number(arguments, 0, SIGKILL)));
  return 0;
}

int sleep_seconds(const Arguments& arguments) {
  if (arguments.empty()) sleep_for_ever();
  ::sleep(static_cast<unsigned>(number(arguments, 0, 0)));
  return 0;
}

// N bytes on stdout, in lines of `width` characters; width 0 is one endless line.
int write_bytes(const Arguments& arguments) {
  long left = number(arguments, 0, 0);
  const long width = number(arguments, 1, 79);
  std::string block(width > 0 ? static_cast<std::size_t>(width) : 65536, 'x');
  if (width > 0) {
    block += '\n';
    const std::string line = block;
    while (block.size() + line.size() <= 65536) block += line;
  }
  while (left > 0) {
    const auto size = std::min<std::size_t>(block.size(), static_cast<std::size_t>(left));
    const ssize_t count = ::write(STDOUT_FILENO, block.data(), size);
    if (count < 0) return failed("write");
    left -= count;
  }
  return 0;
}

// "STREAM:TEXT" arguments in order: out:… err:… and the same without the newline, OUT:… ERR:…
int say(const Arguments& arguments) {
  for (const std::string& item : arguments) {
    const std::string stream = item.substr(0, item.find(':'));
    std::string text = item.substr(item.find(':') + 1);
    if (stream == "out" || stream == "err") text += '\n';
    const int fd = stream == "err" || stream == "ERR" ? STDERR_FILENO : STDOUT_FILENO;
    if (::write(fd, text.data(), text.size()) < 0) return failed("write");
  }
  return 0;
}

// COUNT numbered lines, one every INTERVAL milliseconds.
int count_lines(const Arguments& arguments) {
  const long count = number(arguments, 0, 10);
  const long interval = number(arguments, 1, 100);
  for (long line = 1; line <= count; ++line) {
    std::printf("line %ld\n", line);
    ::usleep(static_cast<useconds_t>(interval) * 1000);
  }
  return 0;
}

int echo_input(const Arguments&) {
  char buffer[4096];
  ssize_t count = 0;
  while ((count = ::read(STDIN_FILENO, buffer, sizeof buffer)) > 0)
    if (::write(STDOUT_FILENO, buffer, static_cast<std::size_t>(count)) < 0) return failed("write");
  return count < 0 ? failed("read") : 0;
}

// Touches MiB megabytes and holds them for SECONDS.
int eat_memory(const Arguments& arguments) {
  const long megabytes = number(arguments, 0, 16);
  constexpr std::size_t kBlock = 1024 * 1024;
  for (long i = 0; i < megabytes; ++i) {
    void* block =
        ::mmap(nullptr, kBlock, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) return failed("mmap");
    std::memset(block, 1, kBlock);
  }
  std::printf("ate %ld MiB\n", megabytes);
  ::sleep(static_cast<unsigned>(number(arguments, 1, 0)));
  return 0;
}

// Starts up to N children that wait; prints how many the limit let live. Never more than 512.
int fork_many(const Arguments& arguments) {
  const long wanted = std::min(number(arguments, 0, 32), 512L);
  std::vector<pid_t> children;
  int errnum = 0;
  while (static_cast<long>(children.size()) < wanted) {
    const pid_t child = ::fork();
    if (child == 0) sleep_for_ever();
    if (child < 0) {
      errnum = errno;
      break;
    }
    children.push_back(child);
  }
  std::printf("%zu %s\n", children.size(), errno_name(errnum).c_str());
  for (const pid_t child : children) ::kill(child, SIGKILL);
  for (const pid_t child : children) ::waitpid(child, nullptr, 0);
  return 0;
}

// A child in a session of its own that outlives its parent: an orphan for PID 1 to reap.
int make_orphan(const Arguments& arguments) {
  const long milliseconds = number(arguments, 0, 100);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::fork() == 0) {
      ::usleep(static_cast<useconds_t>(milliseconds) * 1000);
      ::_exit(0);
    }
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  return 0;
}

int burn(const Arguments& arguments) {
  const long milliseconds = number(arguments, 0, 200);
  timespec start{}, now{};
  ::clock_gettime(CLOCK_MONOTONIC, &start);
  do {
    ::clock_gettime(CLOCK_MONOTONIC, &now);
  } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1'000'000 <
           milliseconds);
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  std::printf("%ld\n", used.tv_sec * 1000 + used.tv_nsec / 1'000'000);
  return 0;
}

int write_file(const Arguments& arguments) {
  const std::string path = argument(arguments, 0);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) {
    std::printf("%s: %s\n", path.c_str(), errno_name(errno).c_str());
    return 1;
  }
  const std::string text = argument(arguments, 1) + "\n";
  const bool written = ::write(fd, text.data(), text.size()) >= 0;
  ::close(fd);
  return written ? 0 : failed(path);
}

// Ends with 0 once PATH exists: a health check that a test can turn on.
int file_exists(const Arguments& arguments) {
  return ::access(argument(arguments, 0).c_str(), F_OK) == 0 ? 0 : 1;
}

// Ends with 1 the first COUNT times, then with 0; PATH keeps the count.
int fail_times(const Arguments& arguments) {
  const std::string path = argument(arguments, 0);
  const long wanted = number(arguments, 1, 1);
  std::FILE* file = std::fopen(path.c_str(), "ae+");
  if (file == nullptr) return failed(path);
  std::fputc('x', file);
  std::fflush(file);
  const long calls = std::ftell(file);
  std::fclose(file);
  std::printf("call %ld of %ld\n", calls, wanted);
  return calls > wanted ? 0 : 1;
}

// Sets an extended attribute to bytes given in hexadecimal digits.
int set_attribute(const Arguments& arguments) {
  const std::string path = argument(arguments, 0), digits = argument(arguments, 2);
  std::string value;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    value += static_cast<char>(std::strtol(digits.substr(i, 2).c_str(), nullptr, 16));
  const std::string name = argument(arguments, 1);
  const int result = ::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0);
  return result == 0 ? 0 : failed(path);
}

}  // namespace

const std::vector<Verb>& act_verbs() {
  static const std::vector<Verb> verbs = {
      {"exit", "[CODE [AFTER-MS]]", exit_with},
      {"serve", "[CODE]   until SIGTERM or SIGINT", serve_until_term},
      {"ignore-term", "", ignore_term},
      {"report-signals", "", report_signals},
      {"die", "SIGNAL", die_by},
      {"sleep", "[SECONDS]", sleep_seconds},
      {"write-bytes", "N [WIDTH]", write_bytes},
      {"say", "out:TEXT|err:TEXT…", say},
      {"count", "N [INTERVAL-MS]", count_lines},
      {"echo", "", echo_input},
      {"eat", "MIB [SECONDS]", eat_memory},
      {"fork", "N", fork_many},
      {"orphan", "[MS]", make_orphan},
      {"burn", "MS", burn},
      {"write", "PATH TEXT", write_file},
      {"exists", "PATH", file_exists},
      {"fail-times", "PATH N", fail_times},
      {"set-attribute", "PATH NAME HEX", set_attribute},
  };
  return verbs;
}

}  // namespace probe
