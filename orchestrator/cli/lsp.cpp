// `lsp`: carries the messages of the Language Server Protocol between standard streams and
// language_server.hpp. A message is `Content-Length: N`, an empty line, and N bytes of JSON.
#include <unistd.h>

#include <charconv>
#include <cstdio>

#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/language_server.hpp"
#include "runtime/os/error.hpp"

namespace cli {

namespace {

constexpr std::size_t kMaxMessage = std::size_t{64} << 20;
constexpr std::size_t kMaxHeader = 4096;

/// Reads messages from standard input.
class Reader {
 public:
  /// nullopt at the end of the input. Throws os::Error for what is no message.
  std::optional<std::string> next() {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (buffer_.size() > kMaxHeader) throw os::Error("a message has no header");
      if (!fill()) return std::nullopt;
    }
    const std::size_t length = length_of(std::string_view(buffer_).substr(0, end));
    buffer_.erase(0, end + 4);
    while (buffer_.size() < length)
      if (!fill()) return std::nullopt;
    std::string message = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return message;
  }

 private:
  static std::size_t length_of(std::string_view header) {
    constexpr std::string_view kName = "Content-Length:";
    const std::size_t at = header.find(kName);
    if (at == std::string_view::npos) throw os::Error("a message says no Content-Length");
    std::string_view text = header.substr(at + kName.size());
    while (text.starts_with(' ')) text.remove_prefix(1);
    std::size_t length = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), length);
    if (parsed.ec != std::errc{} || length > kMaxMessage)
      throw os::Error("a message has a length that cannot be: " + std::string(text));
    return length;
  }

  bool fill() {
    char block[16384];
    for (;;) {
      const ssize_t count = ::read(STDIN_FILENO, block, sizeof block);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw os::Error(errno, "read standard input");
      buffer_.append(block, static_cast<std::size_t>(count));
      return count > 0;
    }
  }

  std::string buffer_;
};

void send(const LanguageServer::Json& message) {
  const std::string text =
      message.dump(-1, ' ', false, LanguageServer::Json::error_handler_t::replace);
  write_out("Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text);
}

}  // namespace

int lsp(Invocation& invocation) {
  bool stdio = false;
  invocation.line.flag("--stdio", stdio, "Speak over standard input and output, as it always does");
  invocation.line.example("stack lsp", "what an editor starts for Compose files");
  if (!invocation.line.parse()) return 0;
  LanguageServer server(invocation.environment);
  Reader reader;
  while (const auto text = reader.next()) {
    const auto message = LanguageServer::Json::parse(*text, nullptr, false);
    for (const auto& answer : server.handle(message)) send(answer);
    if (const auto code = server.exit_code()) return *code;
  }
  return 1;  // the client went away without `exit`
}

}  // namespace cli
