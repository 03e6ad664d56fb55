// The "linux" part of config.json (config-linux.md); spec_json.hpp is the whole.
#pragma once

#include <nlohmann/json.hpp>

#include "runtime/container/json_reader.hpp"
#include "runtime/container/spec.hpp"

namespace container {

void read_json(const JsonReader& reader, IdMapping& mapping);
void read_json(const JsonReader& reader, Resources& resources);
void read_json(const JsonReader& reader, Linux& linux);

void to_json(nlohmann::json& json, const IdMapping& mapping);
void to_json(nlohmann::json& json, const Resources& resources);
void to_json(nlohmann::json& json, const Linux& linux);

}  // namespace container
