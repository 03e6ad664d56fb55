// What a container really runs: the service's attributes over the image's defaults. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "manifests/stack.hpp"
#include "orchestrator/health_machine.hpp"
#include "runtime/image/config.hpp"

namespace orchestrator {

/// entrypoint + command (Compose D6.2). Throws os::Error "no command specified".
std::vector<std::string> effective_arguments(const manifests::Service& service,
                                             const image::ImageConfig& image);

/// The variables in the order of D6.1, each once; `home` is that of the user.
std::vector<std::string> effective_environment(const manifests::Service& service,
                                               const image::ImageConfig& image,
                                               const std::string& hostname,
                                               const std::string& home);

/// The signal that begins a stop. Throws os::Error for an unknown name.
int effective_stop_signal(const manifests::Service& service, const image::ImageConfig& image);

struct LogLimits {
  std::uint64_t max_size = 0;  ///< bytes of one file; 0: no limit
  unsigned max_files = 1;
};
/// `max-size` and `max-file` of `logging.options`, as Docker reads them: 10m, 1g; -1 is no limit.
/// Throws os::Error for what is neither.
LogLimits effective_log_limits(const manifests::Service& service);

struct HealthCheck {
  std::vector<std::string> arguments;  ///< argv of the probe
  HealthTiming timing;
};
/// Nothing when neither the service nor the image checks health, or it is switched off. Keys that
/// the service leaves out are the image's (A6).
std::optional<HealthCheck> effective_health_check(const manifests::Service& service,
                                                  const image::ImageConfig& image);

}  // namespace orchestrator
