// `RUN --mount=…`: what a step sees beside its file system (the Dockerfile reference, "RUN
// --mount"). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/build/expand.hpp"

namespace build {

struct RunMount {
  enum class Type { bind, cache, tmpfs, secret, ssh };
  enum class Sharing { shared, exclusive, locked };  ///< exclusive: `private`

  Type type = Type::bind;
  std::string target;  ///< may be relative to the working directory; empty where it may be
  std::string from;    ///< stage, image or named context; empty: the build context
  std::string source = "/";
  std::string id;
  bool read_only = false;
  bool required = false;
  Sharing sharing = Sharing::shared;
  std::optional<std::uint32_t> mode;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t size = 0;  ///< of a tmpfs, bytes; 0: no limit of its own
  std::string env;        ///< of a secret: the variable that holds it
  bool has_target = false;
};

/// Reads `type=…,target=…`; variables are put into every value but that of `from`. Throws os::Error
/// that says which key is wrong, and what to write.
RunMount parse_run_mount(std::string_view text, const Lookup& lookup);

/// The fields of a line of comma separated values; "…" may hold commas, "" is a quote.
std::vector<std::string> split_csv(std::string_view text);
/// "64m", "1.5g", "100": bytes. Nothing when it is no size.
std::optional<std::int64_t> parse_size(std::string_view text);

}  // namespace build
