// A Compose file and its environment, through the whole pipeline: parsing, interpolation, include,
// extends, merging, checks, decoding, printing, and what editors ask. Besides memory errors it
// looks for output that is not read again as it was. Input: lines `NAME=VALUE`, an empty line, the
// file.
//
// tests/fuzz/run compose SECONDS builds and runs it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "manifests/decode.hpp"
#include "manifests/explain.hpp"
#include "manifests/language.hpp"
#include "manifests/load.hpp"
#include "manifests/print.hpp"
#include "manifests/report.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using fuzz::require;

constexpr const char* kDirectory = "/nonexistent";
constexpr const char* kFile = "/nonexistent/compose.yaml";

manifests::LoadOptions options_of(std::string_view input) {
  manifests::LoadOptions options{.files = {"compose.yaml"},
                                 .project_name = "p",
                                 .profiles = {"*"},
                                 .working_directory = kDirectory};
  const std::size_t end = input.find("\n\n");
  std::string_view variables = input.substr(0, end == std::string_view::npos ? 0 : end);
  while (!variables.empty()) {
    const std::string_view line = variables.substr(0, variables.find('\n'));
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos)
      options.environment.emplace(line.substr(0, equals), line.substr(equals + 1));
    variables.remove_prefix(std::min(line.size() + 1, variables.size()));
  }
  // The file includes and extends itself and this one; nothing else can be read.
  options.texts.emplace(kFile, input.substr(end == std::string_view::npos ? 0 : end + 2));
  options.texts.emplace("/nonexistent/other.yaml",
                        "services: {base: {image: i, environment: {A: 1}}}\nnetworks: {n: }\n");
  return options;
}

std::string text_of(const manifests::Json& json) {
  return json.dump(-1, ' ', false, manifests::Json::error_handler_t::replace);
}

void load_and_print(const manifests::LoadOptions& options) {
  const manifests::Loaded loaded = manifests::load(options);
  const std::string json = manifests::to_json_text(loaded.stack);
  manifests::to_yaml(loaded.stack);
  manifests::to_yaml_with_origins(loaded.stack);
  const manifests::Json complete = manifests::to_json(loaded.stack, manifests::Detail::complete);
  const manifests::Stack again = manifests::from_json(complete);
  // As text, for a number that is none is not equal to itself.
  require(text_of(manifests::to_json(again, manifests::Detail::complete)) == text_of(complete));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const manifests::LoadOptions options = options_of(input);
  try {
    load_and_print(options);
  } catch (const manifests::InvalidManifest& invalid) {
    manifests::to_json(invalid.diagnostics())
        .dump(-1, ' ', false, manifests::Json::error_handler_t::replace);
  }
  try {
    manifests::to_text(manifests::explain_variable(options, "A"));
  } catch (const manifests::InvalidManifest&) {
    // It cannot be read without its variables either.
  }
  const std::string& text = options.texts.at(kFile);
  const manifests::TextPlace place{size % 7, size % 13};
  manifests::complete(text, place);
  manifests::hover(text, place);
  manifests::find_definition(text, place, [](const std::string&) { return std::nullopt; });
  return 0;
}
