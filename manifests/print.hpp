// A Stack as text: what `config` shows, byte for byte as the reference, and what one part of the
// program hands to another.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "manifests/node.hpp"
#include "manifests/stack.hpp"

namespace manifests {

/// `published` is what a user may see: as `config --format json`, without secret contents and
/// extensions of services. `complete` holds everything that from_json() (decode.hpp) needs.
enum class Detail { published, complete };

/// Keys in the order of the reference; a literal `$` is left single.
Json to_json(const Stack& stack, Detail detail = Detail::published);
Json to_json(const Service& service, Detail detail = Detail::published);

/// The text of `config --format json`: two spaces, `$` doubled, `<`, `>` and `&` escaped as Go
/// does.
std::string to_json_text(const Stack& stack);

/// The text of `config`: `$` doubled.
std::string to_yaml(const Stack& stack);

/// The same with the place beside every value: `# compose.yaml:12`, or `# default`.
std::string to_yaml_with_origins(const Stack& stack);

/// A list of {"path", "value", "file", "line", "column"}; of a default the value alone.
Json origins_json(const Stack& stack);

/// A model as it stands (`config --no-interpolate`), mappings sorted by key.
Json to_json(const Node& model);

/// `value` with two spaces of indent, `<`, `>` and `&` escaped as Go does.
std::string json_text(const Json& value);
std::string to_yaml(const Node& model);

/// The attributes that make a container what it is (Compose C5): a change of any recreates it.
/// Keys are those of the service; compare two to name what changed, hash the dump to compare fast.
Json service_fingerprint(const Service& service);

}  // namespace manifests
