// Any bytes as a container's config.json and as what its monitor has written down of it. Besides
// memory errors it looks for a document that is another one when it is written and read again.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/container/spec_json.hpp"
#include "runtime/container/state.hpp"
#include "runtime/os/error.hpp"
#include "tests/fuzz/require.hpp"

namespace {

template <typename Read, typename Write>
void round_trip(const nlohmann::json& json, const Read& read, const Write& write) {
  try {
    const nlohmann::json again = write(read(json));
    fuzz::require(write(read(again)) == again);
  } catch (const os::Error&) {
    // Not such a document.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  nlohmann::json json;
  try {
    json = container::parse_json(text, "config.json");
    container::validate(container::spec_from_json(json));
  } catch (const os::Error&) {
  }
  round_trip(json, container::spec_from_json, container::spec_to_json);
  round_trip(json, container::process_from_json, container::process_to_json);
  round_trip(json, container::resources_from_json, container::resources_to_json);
  round_trip(json, container::state_from_json, container::state_to_json);
  return 0;
}
