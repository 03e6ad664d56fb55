// What `pull`, `push`, `login` and `up` share when they speak to registries: the options that the
// surroundings give, and lines of progress for what takes long.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "orchestrator/cli/invocation.hpp"
#include "orchestrator/cli/request.hpp"
#include "runtime/image/pull.hpp"
#include "runtime/image/registry.hpp"
#include "runtime/image/store.hpp"

namespace cli {

/// "7.8MB": three digits of what fits, powers of 1000, as Docker counts image sizes.
std::string size_text(std::int64_t bytes);

/// Environment, and warnings on standard error.
image::RegistryOptions registry_options(const Invocation& invocation);

/// A line of progress per image: on a terminal with the bytes that have come, elsewhere only the
/// steps. Safe to use from several threads.
class TransferProgress {
 public:
  TransferProgress(const Invocation& invocation, bool quiet);
  ~TransferProgress();
  TransferProgress(const TransferProgress&) = delete;
  TransferProgress& operator=(const TransferProgress&) = delete;

  void step(const std::string& name, const std::string& status, bool final);
  /// The listener for `name`: "Pulling 3.2MB / 7.8MB".
  std::function<void(std::int64_t, std::int64_t)> bytes(const std::string& name,
                                                        const std::string& verb);

 private:
  bool quiet_;
  bool redraws_;
  std::mutex mutex_;
  EventPrinter printer_;
  std::chrono::steady_clock::time_point drawn_;
};

/// Pulls one image and shows how. Throws os::Error.
image::PullResult pull_image(const Invocation& invocation, image::Store& store,
                             const std::string& reference,
                             const std::optional<image::Platform>& platform,
                             TransferProgress& progress);

}  // namespace cli
