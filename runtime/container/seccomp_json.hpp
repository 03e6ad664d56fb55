// linux.seccomp of config.json ⇄ Seccomp.
#pragma once

#include <nlohmann/json.hpp>

#include "runtime/container/json_reader.hpp"
#include "runtime/container/seccomp.hpp"

namespace container {

void read_json(const JsonReader& reader, SeccompArgument& argument);
/// "name" as well as "names", as Docker's profiles have both.
void read_json(const JsonReader& reader, SeccompRule& rule);
void read_json(const JsonReader& reader, Seccomp& seccomp);

void to_json(nlohmann::json& json, const SeccompArgument& argument);
void to_json(nlohmann::json& json, const SeccompRule& rule);
void to_json(nlohmann::json& json, const Seccomp& seccomp);

}  // namespace container
