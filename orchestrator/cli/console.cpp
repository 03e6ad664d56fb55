#include "orchestrator/cli/console.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <iostream>

#include "runtime/os/fd.hpp"

namespace cli {

namespace {

bool terminal() { return ::isatty(STDERR_FILENO) == 1; }

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

void append_indented(std::string& text, const std::string& block) {
  std::istringstream lines(block);
  for (std::string line; std::getline(lines, line);) text += "    " + line + "\n";
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      result += '?';
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string log_line(std::string_view time, std::string_view level, std::string_view message) {
  return "time=" + quoted(time) + " level=" + std::string(level) + " msg=" + quoted(message) + "\n";
}

void print_error(const std::string& message) {
  std::cerr << (terminal() ? "\033[1;31merror:\033[0m " : "error: ") << message << "\n";
}

void print_warning(const std::string& message) {
  if (terminal())
    std::cerr << "\033[1;33mwarning:\033[0m " << message << "\n";
  else
    std::cerr << log_line(now(), "warning", message);
}

void print_diagnostic(const manifests::Diagnostic& diagnostic) {
  if (diagnostic.severity == manifests::Severity::error || terminal()) {
    std::cerr << manifests::render(diagnostic, terminal());
    return;
  }
  std::string message;
  if (diagnostic.at)
    message = diagnostic.at.source->name + ":" + std::to_string(diagnostic.at.line) + ":" +
              std::to_string(diagnostic.at.column) + ": ";
  message += diagnostic.message;
  if (!diagnostic.hint.empty()) message += ": " + diagnostic.hint;
  print_warning(message);
}

std::string failure_text(const orchestrator::protocol::Json& event) {
  using Json = orchestrator::protocol::Json;
  std::string text = event.value("message", "") + "\n";
  for (const Json& cause : event.value("causes", Json::array()))
    text += "  because " + cause.get<std::string>() + "\n";
  const std::string container = event.value("container", "");
  if (const std::string probe = event.value("probe_output", ""); !probe.empty()) {
    text += "  the last health probe of " + container + " said:\n";
    append_indented(text, probe);
  }
  const Json log = event.value("log", Json::array());
  if (!log.empty()) {
    text += "  the last lines of its log (`stack logs` shows all):\n";
    for (const Json& line : log) append_indented(text, line.get<std::string>());
  }
  return text;
}

void write_out(std::string_view text) { os::write_all(STDOUT_FILENO, text, "standard output"); }
void write_err(std::string_view text) { os::write_all(STDERR_FILENO, text, "standard error"); }

bool copy_to_out(int fd) {
  std::array<char, 32768> buffer;
  for (;;) {
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size > 0) {
      write_out({buffer.data(), static_cast<std::size_t>(size)});
      continue;
    }
    if (size < 0 && errno == EINTR) continue;
    return size < 0 && errno == EAGAIN;
  }
}

}  // namespace cli
