#include "tests/support/command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>

#include "runtime/os/error.hpp"

namespace support {

namespace {

constexpr milliseconds kPause{5};
constexpr std::size_t kLargestOutput = 1024UL * 1024 * 1024;

std::vector<std::string> as_list(const std::map<std::string, std::string>& environment) {
  std::vector<std::string> list;
  for (const auto& [name, value] : environment) list.push_back(name + "=" + value);
  return list;
}

os::UniqueFd create(const std::string& path) {
  return os::open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
}

void pause_for(milliseconds time) { ::poll(nullptr, 0, static_cast<int>(time.count())); }

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Output& output) {
  return stream << "exit code " << output.code << (output.timed_out ? " (timed out)" : "")
                << "\n--- stdout\n"
                << output.out << "--- stderr\n"
                << output.err << "---";
}

Command::Command(const std::vector<std::string>& arguments, const CommandOptions& options)
    : timeout_(options.timeout), files_("/tmp", "stack-command-") {
  os::SpawnOptions spawn;
  spawn.executable = "/usr/bin/env";  // it changes the directory and becomes the program
  spawn.arguments = {"env", "--chdir=" + options.working_directory};
  spawn.arguments.insert(spawn.arguments.end(), arguments.begin(), arguments.end());
  spawn.environment = as_list(options.environment);

  os::UniqueFd slave, in, out, err;
  if (options.terminal) {
    int master_fd = -1, slave_fd = -1;
    const winsize size{.ws_row = 40, .ws_col = 120, .ws_xpixel = 0, .ws_ypixel = 0};
    os::check(::openpty(&master_fd, &slave_fd, nullptr, nullptr, &size), [] { return "openpty"; });
    terminal_.reset(master_fd);
    slave.reset(slave_fd);
    os::set_nonblocking(master_fd);
    spawn.descriptors = {{slave_fd, 0}, {slave_fd, 1}, {slave_fd, 2}};
    spawn.new_session = true;
  } else {
    out = create(files_.path() + "/out");
    err = create(files_.path() + "/err");
    spawn.descriptors = {{out.get(), 1}, {err.get(), 2}};
    if (options.open_input) {
      os::Pipe pipe = os::make_pipe();
      in = std::move(pipe.read);
      input_ = std::move(pipe.write);
    } else if (options.input) {
      in = os::open_file(*options.input, O_RDONLY);
    }
    if (in) spawn.descriptors.emplace_back(in.get(), 0);
  }
  child_ = os::spawn(spawn);
}

void Command::drain_terminal() {
  char buffer[8192];
  for (ssize_t count = 0; (count = ::read(terminal_.get(), buffer, sizeof buffer)) > 0;)
    terminal_output_.append(buffer, static_cast<std::size_t>(count));
}

std::string Command::out() {
  if (!terminal_) return os::read_file(files_.path() + "/out", kLargestOutput);
  drain_terminal();
  return terminal_output_;
}

std::string Command::err() {
  return terminal_ ? std::string() : os::read_file(files_.path() + "/err", kLargestOutput);
}

void Command::write_input(const std::string& text) {
  os::write_all(terminal_ ? terminal_.get() : input_.get(), text, "the command's input");
}

bool Command::wait_for_output(const std::string& text, milliseconds timeout) {
  const auto shown = [&] { return out().find(text) != std::string::npos; };
  wait_until([&] { return shown() || has_ended(); }, timeout);
  return shown();
}

Output Command::wait(milliseconds timeout) {
  Output output;
  const bool ended = wait_until(
      [&] {
        if (terminal_) drain_terminal();  // a full terminal would keep it from ending
        return has_ended();
      },
      timeout);
  if (!ended) {
    output.timed_out = true;
    send_signal(SIGKILL);
  }
  output.code = child_.wait().code;
  output.out = out();
  output.err = err();
  return output;
}

Output run(const std::vector<std::string>& arguments, const CommandOptions& options) {
  return Command(arguments, options).wait();
}

bool wait_until(const std::function<bool()>& condition, milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return condition();
    pause_for(kPause);
  }
  return true;
}

int in_child(const std::function<int()>& work) {
  const pid_t pid = os::check(::fork(), [] { return "fork"; });
  if (pid == 0) {
    int code = 101;
    try {
      code = work();
    } catch (const std::exception& error) {
      std::cerr << error.what() << '\n';
    }
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 102;
}

}  // namespace support
