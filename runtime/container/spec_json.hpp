// config.json ⇄ Spec. Reading is strict about the type and range of every known property and
// ignores unknown ones (runtime-spec, "Extensibility"); all mistakes are reported at once.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "runtime/container/spec.hpp"

namespace container {

/// Throws os::Error that lists every property of the wrong type, one a line.
Spec spec_from_json(const nlohmann::json& json);
nlohmann::json spec_to_json(const Spec& spec);

/// The OCI "process" object alone, as `exec --process` takes it.
Process process_from_json(const nlohmann::json& json);
nlohmann::json process_to_json(const Process& process);

/// The OCI "linux.resources" object alone, as `update` takes it.
Resources resources_from_json(const nlohmann::json& json);
nlohmann::json resources_to_json(const Resources& resources);

/// Parses text as JSON; throws os::Error that names `origin` and the place of the mistake.
nlohmann::json parse_json(std::string_view text, const std::string& origin);

}  // namespace container
