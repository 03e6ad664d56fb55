#include "orchestrator/cli/labels.hpp"

#include "orchestrator/cli/command_line.hpp"

namespace cli {

std::map<std::string, std::string> parse_pairs(const std::vector<std::string>& texts,
                                               const char* option) {
  std::map<std::string, std::string> pairs;
  for (const std::string& text : texts) {
    const auto equals = text.find('=');
    if (text.empty() || equals == 0)
      throw UsageError(std::string("invalid ") + option + " \"" + text + "\": use NAME=VALUE");
    pairs[text.substr(0, equals)] = equals == std::string::npos ? "" : text.substr(equals + 1);
  }
  return pairs;
}

}  // namespace cli
