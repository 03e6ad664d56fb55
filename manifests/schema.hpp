// What a Compose file may say: every attribute, the forms it may be written in, and the type its
// text is read as. The table (schema_table.cpp, schema_service.cpp) is data; this is its shape, and
// the check of a node tree against it: unknown keys, wrong types, bad enumerations, missing and
// doubled items.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manifests/diagnostic.hpp"
#include "manifests/node.hpp"

namespace manifests {

/// The YAML forms that a value may take; a rule holds several.
namespace form {
enum : unsigned {
  null = 1U << 0U,
  boolean = 1U << 1U,
  integer = 1U << 2U,
  number = 1U << 3U,  ///< an integer too
  string = 1U << 4U,
  list = 1U << 5U,
  map = 1U << 6U,
};
}  // namespace form

/// What the text of a scalar must read as, whatever form it was written in.
enum class Reads { text, boolean, integer, number, bytes, duration, microseconds, file_mode };

/// What a string, or the free keys of a map, must look like.
struct Pattern {
  std::string_view expression;  ///< as a regular expression, for people and JSON Schema
  bool (*matches)(std::string_view text);
};

/// A rule of the table. Rules are shared: one may stand under many keys.
struct Rule {
  struct Key {
    std::string_view name;
    const Rule* rule;
  };

  unsigned forms = 0;
  Reads reads = Reads::text;

  const Rule* item = nullptr;  ///< of a list; nullptr = anything
  bool unique = false;         ///< no two equal items. Off where merging drops the earlier one.

  std::vector<Key> keys = {};      ///< of a map with fixed keys
  const Rule* value = nullptr;     ///< of a map with free keys
  const Pattern* names = nullptr;  ///< of free keys; nullptr = any
  bool open = false;               ///< unknown keys are let through
  bool extensible = true;          ///< `x-*` keys are let through
  std::vector<std::string_view> required = {};

  std::vector<std::string_view> words = {};  ///< the only strings allowed; empty = any
  const Pattern* pattern = nullptr;          ///< of a string
  double minimum = 0;                        ///< of a number, where minimum < maximum
  double maximum = 0;
};

/// The rule of the whole file.
const Rule& compose_schema();

/// Checks a model, interpolated and merged so far, against the table. Every mistake is reported,
/// each where it stands; an unknown key names the nearest known one.
void validate_schema(const Node& model, Diagnostics& diagnostics);

/// The same, and takes out of `model` what is wrong, so that the phases that follow can look for
/// more. False when that is a section, a service or a resource: what refers to it would be wrong
/// too.
bool repair_schema(Node& model, Diagnostics& diagnostics);

/// The rule of `key` in a map of `rule`; nullptr when it may not stand there. `x-*` keys have none.
const Rule* rule_of_key(const Rule& rule, std::string_view key);

}  // namespace manifests
