// What an editor asks about a Compose file: what may stand here, what this does, where that is
// defined. Answers come from the table of schema.hpp and the text alone, which need not be a
// document yet. Lines and columns count from 0, columns in bytes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "manifests/schema.hpp"
#include "manifests/tree_path.hpp"

namespace manifests {

struct TextPlace {
  std::size_t line = 0;
  std::size_t column = 0;
};

struct Completion {
  enum class Kind { key, value, reference };
  Kind kind = Kind::key;
  std::string label;
  std::string insert;  ///< what is written for it
  std::string help;    ///< may be empty
};

/// What may be written at `place`.
std::vector<Completion> complete(const std::string& text, TextPlace place);

/// What the key at `place` does, as Markdown.
std::optional<std::string> hover(const std::string& text, TextPlace place);

struct Definition {
  std::string file;  ///< as written; empty: the same file
  TextPlace at;
};

/// The text of another file, as its path is written; nullopt when it cannot be read.
using ReadText = std::function<std::optional<std::string>(const std::string& file)>;

/// Where the service, network, volume, config, secret, model, anchor or file that is named at
/// `place` is defined.
std::optional<Definition> find_definition(const std::string& text, TextPlace place,
                                          const ReadText& read);

/// The rule for the value at `path`; nullptr when nothing is known about it.
const Rule* rule_at(const TreePath& path);

}  // namespace manifests
