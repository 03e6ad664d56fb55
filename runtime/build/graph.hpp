// The stages of a Dockerfile, what each is built from and reads, and which of them the target
// needs. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/build/dockerfile.hpp"
#include "runtime/image/platform.hpp"

namespace build {

/// What a name in FROM, COPY --from or a mount's `from` stands for.
struct Origin {
  enum class Kind { scratch, stage, context, image };
  Kind kind = Kind::image;
  std::size_t stage = 0;  ///< index
  std::string name;       ///< of the context or image
  bool operator==(const Origin&) const = default;
};

struct Stage {
  std::size_t index = 0;
  std::string name;  ///< in small letters; empty when it has none
  Origin base;
  std::string platform;  ///< as given, expanded; may be empty
  const Instruction* from = nullptr;
  std::vector<const Instruction*> instructions;  ///< after FROM
  std::set<std::size_t> needs;                   ///< other stages that it reads, the base too
};

/// What stages depend on besides the file.
struct GraphInput {
  std::string target;  ///< empty: the last stage
  std::map<std::string, std::string> build_args;
  std::set<std::string> contexts;  ///< names of the named contexts
  image::Platform build_platform;
  image::Platform target_platform;
};

struct Graph {
  std::vector<Stage> stages;
  std::size_t target = 0;
  std::set<std::size_t> needed;  ///< stages that the target reaches, itself too
  /// ARGs before the first FROM, and those that are always there (TARGETARCH …).
  std::map<std::string, std::string> global_args;
  std::set<std::string> declared_args;  ///< every name that some ARG of the file has
};

/// `file` must outlive the graph and have no mistakes. What is wrong is added to `mistakes`.
Graph make_graph(const Dockerfile& file, const GraphInput& input, std::vector<Mistake>& mistakes);

/// What `name` means to a stage with this index: only earlier stages count. `numbers`: "0" is the
/// first stage (COPY --from).
Origin find_origin(const std::vector<Stage>& stages, std::size_t before,
                   const std::set<std::string>& contexts, std::string_view name, bool numbers);

}  // namespace build
