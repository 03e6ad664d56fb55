// A Compose file as lines, for editors: what is being typed need not be a document yet. Knows block
// style; of flow style, the word under the cursor.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifests/tree_path.hpp"

namespace manifests {

/// A line as far as it can be told by itself. Columns count bytes from 0.
struct OutlineLine {
  std::size_t indent = 0;  ///< of the key, or of what follows the dash
  bool blank = true;       ///< nothing, or a comment alone
  bool is_item = false;
  std::size_t dash = 0;  ///< column of the first dash of an item
  std::string key;       ///< empty when there is none
  std::string value;     ///< after the key or the dash, without comment and quotes
  std::size_t value_at = 0;
};

class Outline {
 public:
  explicit Outline(std::string_view text);

  std::size_t size() const { return lines_.size(); }
  const OutlineLine& line(std::size_t number) const { return lines_.at(number); }
  std::string_view text(std::size_t number) const { return texts_.at(number); }

  /// The keys that lead to line `number` (from 0), its own key included; items are `[0]`. For a
  /// line that is blank, or still has no key, `indent` tells how deep it is.
  TreePath path_to(std::size_t number, std::size_t indent) const;

  /// The lines with the keys directly below `path`, in order.
  std::vector<std::size_t> children(const TreePath& path) const;

 private:
  std::vector<std::string_view> texts_;
  std::vector<OutlineLine> lines_;
};

/// The name around byte `column` of `line`: letters, digits, `_`, `.`, `-`, `/`; empty when none.
std::string word_at(std::string_view line, std::size_t column);

}  // namespace manifests
