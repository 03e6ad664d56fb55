// What to write instead of what the table refuses (schema.hpp): the nearest word, the form that was
// meant, the unit that is missing. Pure; says nothing rather than something wrong.
#pragma once

#include <string>
#include <string_view>

#include "manifests/node.hpp"
#include "manifests/schema.hpp"

namespace manifests {

struct Advice {
  std::string hint;        ///< a sentence for people; may be empty
  std::string suggestion;  ///< what would stand in the file; may be empty
};

/// `word` was meant; no advice when it is empty.
Advice advice_on_word(const std::string& word);

/// A key that no rule knows: a misspelt one, or one that belongs to another place of the file.
Advice advice_on_key(const Entry& entry, const Rule& rule, const std::string& path);

/// An attribute of a service that stands where the names of services do.
Advice advice_on_attribute(const std::string& key);

/// A value in a form that `rule` does not take.
Advice advice_on_form(const Node& node, const Rule& rule);

/// A text that does not read as what it stands for.
Advice advice_on_text(std::string_view text, Reads reads);

/// A port specification that cannot be read.
Advice advice_on_port(std::string_view text);

}  // namespace manifests
