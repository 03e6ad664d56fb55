// Space on the disk: the flags and the work that `prune` and `image prune` share, and files that
// are written beside their place.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "orchestrator/cli/invocation.hpp"
#include "runtime/image/store.hpp"

namespace cli {

struct PruneFlags {
  bool all = false;
  bool force = false;
  std::vector<std::string> filters;  ///< "until=24h"
  std::string keep;                  ///< "10GB"
};

void declare_prune_flags(CommandLine& line, PruneFlags& flags);

/// Removes images that nothing uses; prints what went and how much came free.
int prune_images(Invocation& invocation, const PruneFlags& flags);

/// What "until=…" of `--filter` means. Throws UsageError.
std::optional<image::Timestamp> parse_until(const std::vector<std::string>& filters,
                                            image::Timestamp now);

/// Calls `write` with a new file beside `path` that takes its place when all went well.
void write_beside(const std::string& path, const std::function<void(int)>& write);

}  // namespace cli
