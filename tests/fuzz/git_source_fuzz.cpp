// Any bytes as what may name a git repository. Besides memory errors it looks for a part that the
// git program would take for an option, and for a directory outside of the repository.
#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/build/git_source.hpp"
#include "runtime/os/error.hpp"
#include "tests/fuzz/require.hpp"

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const bool shorthand : {false, true}) {
    try {
      const auto source = build::parse_git_source(text, shorthand);
      build::shown_remote(text);
      if (!source) continue;
      require(!source->remote.empty() && !source->remote.starts_with('-'));
      require(source->remote.find("::") == std::string::npos ||
              source->remote.find("://") != std::string::npos ||
              source->remote.find('@') < source->remote.find("::"));
      const auto host = source->remote.find("://");
      require(host == std::string::npos || source->remote.substr(host + 3, 1) != "-");
      require(!source->ref.starts_with('-') && source->ref.find('\n') == std::string::npos);
      const std::string directory = "/" + source->subdirectory + "/";
      require(directory.find("/../") == std::string::npos);
    } catch (const os::Error&) {
      // No repository that can be.
    }
  }
  return 0;
}
