// Any bytes as a Dockerfile, through all that reads it before something runs. Besides memory errors
// it looks for places that lie outside of the file.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/build/check.hpp"
#include "runtime/build/evaluate.hpp"
#include "runtime/build/expand.hpp"
#include "runtime/build/graph.hpp"
#include "runtime/os/error.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using fuzz::require;

void evaluate(const build::Dockerfile& file, const build::Graph& graph) {
  build::StageInput input;
  input.global_args = graph.global_args;
  for (const build::Stage& stage : graph.stages) {
    build::StageState state({}, input, file.escape, {});
    for (const build::Instruction* instruction : stage.instructions) {
      try {
        state.apply(*instruction);
      } catch (const os::Error&) {
      } catch (const build::ExpandError&) {
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  build::Dockerfile file = build::parse_dockerfile(text);
  build::check_dockerfile(file);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const build::Mistake& mistake : file.mistakes) {
    require(mistake.at.line <= lines);
    build::render(mistake, "Dockerfile", text);
  }
  if (!file.mistakes.empty()) return 0;
  std::vector<build::Mistake> mistakes;
  build::GraphInput input;
  input.build_platform = input.target_platform = {"linux", "amd64", ""};
  const build::Graph graph = build::make_graph(file, input, mistakes);
  if (mistakes.empty()) evaluate(file, graph);
  return 0;
}
