// Any bytes as .dockerignore and as a path. Besides memory errors it looks for a path that leaves
// the root, and for a directory whose content is decided otherwise than the walk assumes.
#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/build/dockerignore.hpp"
#include "runtime/os/error.hpp"
#include "tests/fuzz/require.hpp"

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto border = text.rfind('\n');
  const std::string path =
      build::clean_relative(border == std::string::npos ? text : text.substr(border + 1));
  require(!path.starts_with('/') && path != ".." && !path.starts_with("../"));
  try {
    const build::Ignore ignore = build::Ignore::parse(text.substr(0, border));
    // What is pruned must not hold anything that is in.
    if (!path.empty() && ignore.ignores(path) && !ignore.may_return_below(path))
      require(ignore.ignores(path + "/below"));
  } catch (const os::Error&) {
  }
  return 0;
}
