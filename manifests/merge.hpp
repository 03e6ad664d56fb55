// Several models become one (Compose B5): a later file over an earlier one, a service over the one
// that it extends. Works on nodes in any form, short or long, and keeps their positions.
#pragma once

#include <vector>

#include "manifests/diagnostic.hpp"
#include "manifests/node.hpp"
#include "manifests/tree_path.hpp"

namespace manifests {

/// `overriding` over `base`; `at` is where both stand in the model (empty for whole models). Values
/// that cannot be brought together are reported: `cannot override services.a.ports`.
Node merge(Node base, Node overriding, TreePath at, Diagnostics& diagnostics);

/// Removes what a sequence says twice by the attribute's own key (a mount's target, a variable's
/// name, …); the later entry takes the place of the earlier.
void unify(Node& model);

/// Takes the tags `!reset` and `!override` out of a document: values to reset are gone afterwards.
/// Returns the paths of both, which must be erased from what the document is merged over.
std::vector<TreePath> take_merge_tags(Node& document);

/// Erases the entries at `paths` from `model`, as far as they are there. Items of sequences stay.
void erase_paths(Node& model, const std::vector<TreePath>& paths);

}  // namespace manifests
