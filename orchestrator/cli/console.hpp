// What people read on standard error: errors, warnings, mistakes in their files.
#pragma once

#include <string>
#include <string_view>

#include "manifests/diagnostic.hpp"
#include "orchestrator/protocol.hpp"

namespace cli {

void print_error(const std::string& message);
/// On a terminal `warning: …`, elsewhere a line that programs can take apart (Compose C1.3).
void print_warning(const std::string& message);
/// An error with its place; a warning the same way on a terminal, else as print_warning().
void print_diagnostic(const manifests::Diagnostic& diagnostic);
/// The supervisor's "error" event as a chain: what failed, because of what, and what the culprit
/// said last. Pure.
std::string failure_text(const orchestrator::protocol::Json& event);

/// A line of structured log: `time="…" level=warning msg="…"`. Pure.
std::string log_line(std::string_view time, std::string_view level, std::string_view message);
/// Text in double quotes, with quotes, backslashes and control characters escaped. Pure.
std::string quoted(std::string_view text);

/// Writes all of `text` to standard output past no buffer of ours. Throws os::Error.
void write_out(std::string_view text);
void write_err(std::string_view text);
/// Copies what a non-blocking `fd` has to standard output; whether more may come. Throws os::Error.
bool copy_to_out(int fd);

}  // namespace cli
