// Repeated NAME=VALUE options.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace cli {

/// A pair without "=" has an empty value. Throws UsageError for an empty name; `option` is named in
/// it. Pure.
std::map<std::string, std::string> parse_pairs(const std::vector<std::string>& texts,
                                               const char* option);

}  // namespace cli
