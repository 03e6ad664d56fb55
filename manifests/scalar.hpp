// What a plain YAML scalar means (Compose B10), and how a scalar reads as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "manifests/node.hpp"

namespace manifests {

/// The type that an unquoted scalar resolves to: YAML 1.2 core as the reference reads it, with
/// `017` octal, `_` between digits, and timestamps.
ScalarType resolve_scalar(std::string_view text);

/// The value of an integer in any of YAML's notations (`0x1F`, `0b11`, `0o17`, `017`, `1_000`);
/// nullopt when `text` is none or does not fit.
std::optional<long long> integer_value(std::string_view text);

/// The value of a YAML integer or float; nullopt when `text` is neither.
std::optional<double> number_value(std::string_view text);

/// A double in its shortest exact form, with an exponent when that is below -4 or at least 21
/// (`exponent_from`); `+Inf`, `-Inf`, `NaN`.
std::string number_text(double value, int exponent_from = 21);

/// A scalar as the text that an environment variable or a label gets: integers in decimal, `true`
/// or `false`, floats in shortest form (exponent from 1e+06 on), empty for null, strings as they
/// are.
std::string scalar_text(const Node& scalar);

}  // namespace manifests
