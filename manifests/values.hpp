// The value types of a Compose file (A0): text → typed value and back. Each parser returns the
// value or says in one sentence why the text is none; the caller knows where it stood.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "manifests/stack.hpp"

namespace manifests {

/// Why a text could not be read: a sentence without position.
struct Unreadable {
  std::string reason;
};

template <class T>
using Parsed = std::variant<T, Unreadable>;

struct Truth {
  bool value = false;
  bool yaml11 = false;  ///< written as yes, no, on, off, y or n: works, but deserves a warning
};

/// `true`, `false`, and the words of YAML 1.1, in any case.
Parsed<Truth> parse_boolean(std::string_view text);

/// A decimal integer with an optional sign.
Parsed<std::int64_t> parse_integer(std::string_view text);

/// A decimal floating point number.
Parsed<double> parse_number(std::string_view text);

/// `64m`, `1.5 GiB`, `1048576`: units are powers of 1024, in any case.
Parsed<Bytes> parse_bytes(std::string_view text);

/// `1m30s`, `0.5s`, `1d2h`, `2w`: pairs of number and unit.
Parsed<Duration> parse_duration(std::string_view text);

/// As Go prints a duration: `1m30s`, `500ms`, `26h0m0s`, `0s`.
std::string duration_text(Duration duration);

/// A string of octal digits.
Parsed<FileMode> parse_file_mode(std::string_view text);

/// Octal with a leading zero: `0440`.
std::string file_mode_text(FileMode mode);

/// A command line as words (A2 `command`): quotes and backslashes as in a shell, a backtick or `$(`
/// span stays one word, an unquoted `; & | < >` ends the command.
Parsed<Strings> split_command(std::string_view line);

/// `value` rounded to single precision, the precision that `config` prints cpus and ratios in.
double single_precision(double value);

/// An IPv4 or IPv6 address in text form.
bool is_ip_address(std::string_view text);

}  // namespace manifests
