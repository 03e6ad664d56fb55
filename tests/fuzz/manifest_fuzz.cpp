// Any bytes as a manifest, an index and a configuration of an image. Besides memory errors it looks
// for a document that is taken and is another one when it is written and read again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/image/config.hpp"
#include "runtime/image/manifest.hpp"
#include "runtime/os/error.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using fuzz::require;

void manifest(const std::string& text) {
  try {
    const image::Manifest parsed = image::parse_manifest(text);
    const std::string again = image::format_manifest(parsed);
    require(image::format_manifest(image::parse_manifest(again)) == again);
    require(parsed.config.size >= 0);
    for (const image::Descriptor& layer : parsed.layers)
      require(layer.size >= 0 && !layer.digest.empty());
  } catch (const os::Error&) {
  }
}

void index(const std::string& text) {
  try {
    const image::Index parsed = image::parse_index(text);
    const std::string again = image::format_index(parsed);
    require(image::format_index(image::parse_index(again)) == again);
    const image::Descriptor& chosen = image::choose_platform(parsed, {"linux", "amd64", ""});
    require(!chosen.digest.empty());
  } catch (const os::Error&) {
  }
}

void config(const std::string& text) {
  try {
    const image::ImageConfig parsed = image::parse_config(text);
    const std::string again = image::format_config(parsed);
    require(image::format_config(image::parse_config(again)) == again);
  } catch (const os::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  manifest(text);
  index(text);
  config(text);
  return 0;
}
