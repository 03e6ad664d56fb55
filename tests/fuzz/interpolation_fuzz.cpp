// Any bytes as a value with variables and as a .env file. Besides memory errors it looks for a text
// that grows without bound, and for a variable that was expanded but is not named.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "manifests/diagnostic.hpp"
#include "manifests/dotenv.hpp"
#include "manifests/interpolate.hpp"
#include "manifests/source.hpp"
#include "tests/fuzz/require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto lookup = [](const std::string& name) -> std::optional<std::string> {
    if (name == "A") return "value of A, which is long";
    if (name == "E") return "";
    return std::nullopt;
  };
  const manifests::Expansion expansion = manifests::expand(text, lookup);
  fuzz::require(expansion.text.size() <= std::size_t{64} * 1024 * 1024);
  if (expansion.failure == manifests::Expansion::Failure::none) {
    const auto references = manifests::variable_references(text);
    if (references.empty()) fuzz::require(expansion.unset.empty());
  }
  const auto source = std::make_shared<manifests::Source>();
  source->name = "/nonexistent/.env";
  source->text = text;
  for (const auto format : {manifests::EnvFormat::dotenv, manifests::EnvFormat::raw}) {
    manifests::Variables variables;
    manifests::Diagnostics diagnostics;
    manifests::parse_env_file(source, format, lookup, variables, diagnostics);
  }
  return 0;
}
