// What a Compose file may say: every attribute, the forms it may be written in, and the type its
// text is read as. The table (schema_table.cpp) is data; this is its shape, and the check of a node
// tree against it: unknown keys, wrong types, bad enumerations, missing and doubled items.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manifests/diagnostic.hpp"
#include "manifests/node.hpp"

namespace manifests {

/// The YAML forms that a value may take; a rule holds several.
enum Form : unsigned {
  kNull = 1U << 0U,
  kBoolean = 1U << 1U,
  kInteger = 1U << 2U,
  kNumber = 1U << 3U,  ///< integers too
  kString = 1U << 4U,
  kList = 1U << 5U,
  kMap = 1U << 6U,
};

/// What the text of a scalar must read as, whatever form it was written in.
enum class Reads { text, boolean, integer, number, bytes, duration };

/// A rule of the table. Children are shared: the same rule may stand under many keys.
struct Rule {
  using Keys = std::vector<std::pair<std::string_view, const Rule*>>;

  unsigned forms = 0;
  Reads reads = Reads::text;
  const Rule* item = nullptr;   ///< of a list; nullptr = anything
  const Rule* value = nullptr;  ///< of a map with free keys; nullptr = no free keys
  std::string_view names;       ///< characters a free key may have: "name", "lower" or "" for any
  Keys keys = {};               ///< of a map with fixed keys
  bool open = false;            ///< a map whose unknown keys are let through
  bool extensible = true;       ///< `x-*` keys are let through
  bool unique = false;          ///< no two equal items in a list
  std::vector<std::string_view> required = {};
  std::vector<std::string_view> words = {};  ///< the only strings allowed; empty = any
  std::string_view pattern = {};             ///< a regular expression found in the string
  double minimum = 0;                        ///< of a number, where minimum < maximum
  double maximum = 0;
};

/// The rule of the whole file.
const Rule& compose_schema();

/// Checks one model (after interpolation) against the table. Every mistake is reported, each where
/// it stands; an unknown key names the nearest known one.
void validate_schema(const Node& model, Diagnostics& diagnostics);

}  // namespace manifests
