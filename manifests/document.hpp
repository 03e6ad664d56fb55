// YAML bytes → trees of nodes (Compose B10). Anchors, aliases and merge keys are gone afterwards;
// `!reset` and `!override` stay as tags for merge. Bounded against hostile input: size (source),
// nesting, and the number of nodes that aliases may unfold to.
#pragma once

#include <memory>
#include <vector>

#include "manifests/diagnostic.hpp"
#include "manifests/node.hpp"
#include "manifests/source.hpp"

namespace manifests {

/// Collections may nest this deep.
inline constexpr std::size_t kMaxNesting = 256;

/// A file may hold this many values, aliases unfolded.
inline constexpr std::size_t kMaxNodes = 1'000'000;

/// All aliases of a file together may unfold to this many nodes.
inline constexpr std::size_t kMaxAliasedNodes = 100'000;

/// The documents of `source`, in order; a file with nothing but comments has none. Every document
/// is a mapping with string keys, each once. Throws InvalidManifest with what is wrong.
/// Tags that mean nothing here are warnings, for those who ask for them.
std::vector<Node> parse_documents(const std::shared_ptr<const Source>& source,
                                  Diagnostics* warnings = nullptr);

}  // namespace manifests
