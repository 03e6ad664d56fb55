// Keys of steps: the digest of everything that a step's result depends on, and of nothing else.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/build/file_index.hpp"
#include "runtime/build/source_tree.hpp"
#include "runtime/image/digest.hpp"

namespace build {

/// Collects what counts; each part keeps its borders.
class KeyBuilder {
 public:
  KeyBuilder& add(std::string_view part);
  KeyBuilder& add(std::uint64_t number);
  image::Digest finish() { return hasher_.finish(); }

 private:
  image::Hasher hasher_;
};

/// Adds what is at `selected`: types, names, modes, link targets, devices, content; owners and
/// extended attributes where they arrive. Never times, nor the mode of the top directory.
void add_content(KeyBuilder& key, const SourceTree& tree, const Selected& selected,
                 const Ignore& excludes, FileIndex& index);

}  // namespace build
