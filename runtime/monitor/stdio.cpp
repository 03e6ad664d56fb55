#include "runtime/monitor/stdio.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/monitor/console.hpp"
#include "runtime/os/error.hpp"

namespace monitor {

namespace {

constexpr int kPipeSize = 1024 * 1024;
constexpr std::size_t kMaxPendingInput = 64 * 1024;
constexpr std::size_t kMaxPendingOutput = 256 * 1024;
constexpr std::size_t kMaxAttachments = 64;
constexpr std::chrono::milliseconds kTerminalPause{100};
// Shared by all reads of the one thread.
alignas(64) char read_buffer[128 * 1024];

os::Pipe make_wide_pipe() {
  os::Pipe pipe = os::make_pipe();
  ::fcntl(pipe.read.get(), F_SETPIPE_SZ, kPipeSize);  // more than the user's limit: stays as it is
  return pipe;
}

}  // namespace

Stdio::~Stdio() {
  for (const auto* fd : {&stdin_, &stdout_, &stderr_, &terminal_})
    if (*fd) loop_.remove(fd->get());
  for (const Attachment& attachment : attachments_)
    if (!attachment.broken) loop_.remove(attachment.socket.get());
}

Streams Stdio::make_pipes(bool input) {
  Streams streams;
  if (input) {
    os::Pipe pipe = os::make_pipe();
    stdin_ = std::move(pipe.write);
    os::set_nonblocking(stdin_.get());
    streams[0] = std::move(pipe.read);
  } else {
    streams[0] = os::open_file("/dev/null", O_RDWR);
  }
  os::Pipe out = make_wide_pipe();
  os::Pipe err = make_wide_pipe();
  stdout_ = std::move(out.read);
  stderr_ = std::move(err.read);
  streams[1] = std::move(out.write);
  streams[2] = std::move(err.write);
  return streams;
}

void Stdio::use_terminal(os::UniqueFd master) { terminal_ = std::move(master); }

void Stdio::start() {
  watch_output(stdout_, container::LogStream::out);
  watch_output(stderr_, container::LogStream::err);
  watch_output(terminal_, container::LogStream::out);
}

void Stdio::watch_output(os::UniqueFd& fd, container::LogStream stream) {
  if (!fd) return;
  os::set_nonblocking(fd.get());
  loop_.add(fd.get(), EPOLLIN, [this, &fd, stream](std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) write_input();
    if ((events & ~std::uint32_t{EPOLLOUT}) != 0) pump(fd, stream);
  });
}

bool Stdio::pump(os::UniqueFd& fd, container::LogStream stream) {
  const ssize_t n = ::read(fd.get(), read_buffer, sizeof read_buffer);
  if (n > 0) {
    const std::string_view data(read_buffer, static_cast<std::size_t>(n));
    log_.write(stream, data);
    if (&fd == &terminal_) copy_to_attached(data);
    return true;
  }
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  // A terminal gives EIO while nobody has its other side open; it may be opened again.
  if (&fd == &terminal_ && n < 0 && errno == EIO) {
    loop_.remove(fd.get());
    loop_.after(kTerminalPause, [this] { watch_output(terminal_, container::LogStream::out); });
    return false;
  }
  log_.finish(stream);
  loop_.remove(fd.get());
  fd.reset();
  return false;
}

void Stdio::finish() {
  struct Output {
    os::UniqueFd& fd;
    container::LogStream stream;
  };
  // A process outside the container's groups could hold a pipe open and write for ever.
  constexpr int kMaxReads = 4096;
  for (const Output& output :
       {Output{stdout_, container::LogStream::out}, Output{stderr_, container::LogStream::err},
        Output{terminal_, container::LogStream::out}}) {
    for (int reads = 0; output.fd && reads < kMaxReads && pump(output.fd, output.stream); ++reads) {
    }
    if (output.fd) loop_.remove(output.fd.get());
    output.fd.reset();
  }
  log_.finish(container::LogStream::out);
  log_.finish(container::LogStream::err);
  for (auto attachment = attachments_.begin(); attachment != attachments_.end();) {
    const auto current = attachment++;
    flush_output(*current);
    detach(current);
  }
}

void Stdio::resize(std::uint32_t rows, std::uint32_t columns) {
  if (!terminal_) throw os::Error(ENOTTY, "set the size of the container's terminal");
  set_terminal_size(terminal_.get(), rows, columns);
}

os::UniqueFd Stdio::attach(bool ends_input) {
  if (input() < 0) throw os::Error("the container has no standard input to attach to");
  if (attachments_.size() >= kMaxAttachments) throw os::Error(EUSERS, "attach one more client");
  int ends[2];
  os::check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
            [] { return std::string("make a socket pair"); });
  os::UniqueFd theirs(ends[1]);
  attachments_.emplace_back();
  const auto attachment = std::prev(attachments_.end());
  attachment->socket.reset(ends[0]);
  attachment->ends_input = ends_input;
  os::set_nonblocking(ends[0]);
  // What is in the log is there for all to read; the line that goes on is not.
  if (terminal_) attachment->pending_output = log_.pending(container::LogStream::out);
  loop_.add(ends[0], attachment->pending_output.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT,
            [this, attachment](std::uint32_t events) { serve(attachment, events); });
  return theirs;
}

void Stdio::serve(Attachments::iterator attachment, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) flush_output(*attachment);
  if ((events & (EPOLLIN | EPOLLHUP)) != 0 && !attachment->input_ended) read_input(*attachment);
  // A client that closed its end for good shows as a hang-up; one that only ended its input does
  // not.
  if (attachment->broken || ((events & (EPOLLHUP | EPOLLERR)) != 0 && attachment->input_ended))
    return detach(attachment);
  update(*attachment);
}

void Stdio::read_input(Attachment& attachment) {
  if (pending_input_.size() >= kMaxPendingInput) return;
  const ssize_t n = ::read(attachment.socket.get(), read_buffer, kMaxPendingInput);
  if (n < 0) {
    attachment.broken = errno != EAGAIN && errno != EINTR;
    return;
  }
  if (n == 0) {
    attachment.input_ended = true;
    // A terminal has no end of input of its own: Ctrl-D is a character.
    if (!terminal_ && attachment.ends_input) input_ends_ = true;
  }
  pending_input_.append(read_buffer, static_cast<std::size_t>(n));
  write_input();
}

void Stdio::write_input() {
  while (!pending_input_.empty() && input() >= 0) {
    const ssize_t n = ::write(input(), pending_input_.data(), pending_input_.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) return end_input();  // the container closed its side
    if (n < 0) break;
    pending_input_.erase(0, static_cast<std::size_t>(n));
  }
  const bool wait = !pending_input_.empty();
  if (!wait && input_ends_) return end_input();
  if (wait == waiting_for_input_space_ || input() < 0) return;
  waiting_for_input_space_ = wait;
  if (terminal_) {
    loop_.modify(terminal_.get(), wait ? EPOLLIN | EPOLLOUT : EPOLLIN);
  } else if (wait) {
    loop_.add(stdin_.get(), EPOLLOUT, [this](std::uint32_t) { write_input(); });
  } else {
    loop_.remove(stdin_.get());
  }
  for (Attachment& attachment : attachments_) update(attachment);
}

void Stdio::end_input() {
  pending_input_.clear();
  if (!stdin_) return;
  loop_.remove(stdin_.get());
  stdin_.reset();
  waiting_for_input_space_ = false;
  for (Attachment& attachment : attachments_) update(attachment);
}

void Stdio::copy_to_attached(std::string_view data) {
  for (Attachment& attachment : attachments_) {
    if (attachment.broken) continue;
    if (attachment.pending_output.size() + data.size() > kMaxPendingOutput) {
      // Too slow. It is shut down here and forgotten when its hang-up is served.
      ::shutdown(attachment.socket.get(), SHUT_RDWR);
      attachment.broken = true;
      continue;
    }
    attachment.pending_output.append(data);
    flush_output(attachment);
    update(attachment);
  }
}

void Stdio::flush_output(Attachment& attachment) {
  while (!attachment.pending_output.empty()) {
    const ssize_t n = ::send(attachment.socket.get(), attachment.pending_output.data(),
                             attachment.pending_output.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      attachment.broken = errno != EAGAIN;
      if (attachment.broken) attachment.pending_output.clear();
      return;
    }
    attachment.pending_output.erase(0, static_cast<std::size_t>(n));
  }
}

void Stdio::update(Attachment& attachment) {
  std::uint32_t events = 0;
  if (!attachment.input_ended && pending_input_.size() < kMaxPendingInput) events |= EPOLLIN;
  if (!attachment.pending_output.empty()) events |= EPOLLOUT;
  loop_.modify(attachment.socket.get(), events);
}

void Stdio::detach(Attachments::iterator attachment) {
  loop_.remove(attachment->socket.get());
  attachments_.erase(attachment);
}

}  // namespace monitor
