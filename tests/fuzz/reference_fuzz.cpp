// Any bytes as the name of an image. Besides memory errors it looks for a name that is taken and
// would lead out of a directory or a URL, or that does not stand for itself again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/image/reference.hpp"
#include "runtime/os/error.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using fuzz::require;

void check(const image::Reference& reference) {
  for (const std::string& part : {reference.host, reference.path, reference.tag}) {
    require(part.find_first_of(std::string(" \t\r\n\\?#%&\"'\0", 12)) == std::string::npos);
    for (const char c : part) require(static_cast<unsigned char>(c) < 0x80);
  }
  require(!reference.host.empty() && reference.host.find('/') == std::string::npos);
  const std::string path = "/" + reference.path + "/";
  require(path.find("/../") == std::string::npos && path.find("//") == std::string::npos);
  require(path.find("/./") == std::string::npos);
  require(reference.tag.find('/') == std::string::npos);
  require(!reference.tag.empty() || reference.digest);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto reference =
        image::Reference::parse(std::string(reinterpret_cast<const char*>(data), size));
    check(reference);
    require(image::Reference::parse(reference.text()) == reference);
    require(image::Reference::parse(reference.familiar()) == reference);
  } catch (const os::Error&) {
    // Not a name.
  }
  return 0;
}
