// The arguments of instructions as values: pairs of ENV and LABEL, ARG's names, ports, signals,
// health checks. Pure; each throws os::Error that says what is wrong.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/build/dockerfile.hpp"
#include "runtime/build/expand.hpp"
#include "runtime/image/config.hpp"

namespace build {

/// A command in exec or shell form.
struct CommandForm {
  bool shell = false;
  std::vector<std::string> words;  ///< of the shell form one: the text
};
/// Of CMD, ENTRYPOINT, RUN, and what follows CMD in HEALTHCHECK.
CommandForm command_form(std::string_view text,
                         const std::optional<std::vector<std::string>>& json);

/// `name=value …`, or the old form `name the rest of the line`; nothing is expanded yet.
std::vector<std::pair<std::string, std::string>> split_pairs(std::string_view text, char escape);

struct Argument {
  std::string name;
  std::optional<std::string> value;  ///< not expanded
};
std::vector<Argument> split_arguments(std::string_view text, char escape);

/// "80", "80-90/udp", "1.2.3.4:80:80/TCP" → "80/tcp" …
std::vector<std::string> parse_ports(std::string_view text);
/// The name or number as it was written.
std::string parse_stop_signal(std::string_view text);
/// The shell is put in front of a command in shell form as CMD-SHELL.
image::Healthcheck parse_healthcheck(const Instruction& instruction);
/// "755", "u=rwX,go=rX" applied to `mode`; nothing when `text` is no mode.
std::optional<mode_t> apply_mode(std::string_view text, mode_t mode, bool is_directory);

}  // namespace build
