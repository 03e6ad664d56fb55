#include "orchestrator/cli/exec_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "runtime/os/error.hpp"

namespace cli {

ExecStreams::ExecStreams(bool interactive)
    : null_(os::open_file("/dev/null", O_RDWR)), interactive_(interactive) {
  for (int stream = 0; stream < 3; ++stream) {
    const bool is_input = stream == STDIN_FILENO;
    if (::isatty(stream) != 1 || (is_input && !interactive)) continue;
    os::Pipe pipe = os::make_pipe();
    const auto index = static_cast<std::size_t>(stream);
    theirs_[index] = std::move(is_input ? pipe.read : pipe.write);
    ours_[index] = std::move(is_input ? pipe.write : pipe.read);
    os::set_nonblocking(ours_[index].get());
  }
  if (ours_[0]) input_.emplace(ours_[0].get());
}

std::vector<int> ExecStreams::descriptors() const {
  std::vector<int> result;
  for (int stream = 0; stream < 3; ++stream) {
    const os::UniqueFd& pipe = theirs_[static_cast<std::size_t>(stream)];
    const bool is_open = ::fcntl(stream, F_GETFD) >= 0;
    const bool is_wanted = stream != STDIN_FILENO || interactive_;
    result.push_back(pipe ? pipe.get() : is_open && is_wanted ? stream : null_.get());
  }
  return result;
}

void ExecStreams::hand_over() {
  for (os::UniqueFd& pipe : theirs_) pipe.reset();
}

std::array<pollfd, 3> ExecStreams::wake() const {
  return {{input_ ? input_->wake() : pollfd{-1, 0, 0},
           {ours_[1] ? ours_[1].get() : -1, POLLIN, 0},
           {ours_[2] ? ours_[2].get() : -1, POLLIN, 0}}};
}

void ExecStreams::move() {
  if (input_ && !input_->move()) {
    input_.reset();
    ours_[0].reset();  // the program sees the end of its input
  }
  copy_output(STDOUT_FILENO);
  copy_output(STDERR_FILENO);
}

void ExecStreams::copy_output(int stream) {
  os::UniqueFd& pipe = ours_[static_cast<std::size_t>(stream)];
  while (pipe) {
    std::array<char, 32768> buffer;
    const ssize_t size = ::read(pipe.get(), buffer.data(), buffer.size());
    if (size > 0) {
      os::write_all(stream, {buffer.data(), static_cast<std::size_t>(size)}, "our terminal");
    } else if (size == 0 || errno != EINTR) {
      if (size == 0 || errno != EAGAIN) pipe.reset();
      return;
    }
  }
}

}  // namespace cli
