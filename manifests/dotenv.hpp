// Environment files: `.env`, `--env-file`, `env_file`, `label_file` (Compose B4). Text in,
// variables out; which file counts when is the business of environment and normalize.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "manifests/diagnostic.hpp"
#include "manifests/source.hpp"

namespace manifests {

/// The value of a variable from outside the file; nullopt when it is not set.
using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

using Variables = std::map<std::string, std::string>;

/// Where each variable of a file was written.
using VariablePlaces = std::map<std::string, Position>;

/// `env_file.format`: `dotenv` is the grammar with quotes, comments and interpolation; `raw` takes
/// every value as it stands (`format: raw`).
enum class EnvFormat { dotenv, raw };

/// Adds the variables of `source` to `variables`, over those already there (an earlier file's, or
/// empty). `$NAME` in a value and a bare `NAME` are looked up with `lookup`, then in `variables`. A
/// bare name that nobody knows is left out. Mistakes go to `diagnostics`; unset variables are
/// warnings there. Reading stops at the first mistake. Where each one was written goes to `places`
/// when that is wanted.
void parse_env_file(const std::shared_ptr<const Source>& source, EnvFormat format,
                    const Lookup& lookup, Variables& variables, Diagnostics& diagnostics,
                    VariablePlaces* places = nullptr);

}  // namespace manifests
