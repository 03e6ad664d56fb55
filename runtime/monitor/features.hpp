// What this runtime can do, as other programs ask for it (runtime-spec, features.md).
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace monitor {

nlohmann::json features_json();

}  // namespace monitor
