#include "orchestrator/cli/registry_session.hpp"

#include <algorithm>

#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/usage.hpp"
#include "orchestrator/protocol.hpp"
#include "runtime/os/error.hpp"

namespace cli {

std::string size_text(std::int64_t bytes) {
  return decimal_bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(bytes, 0)));
}

image::RegistryOptions registry_options(const Invocation& invocation) {
  image::RegistryOptions options;
  options.environment = invocation.environment;
  options.warn = [](const std::string& message) { print_warning(message); };
  return options;
}

TransferProgress::TransferProgress(const Invocation& invocation, bool quiet)
    : quiet_(quiet),
      redraws_(invocation.style.progress == ProgressStyle::tty),
      printer_(invocation.style) {}

TransferProgress::~TransferProgress() {
  if (!quiet_) printer_.finish();
}

void TransferProgress::step(const std::string& name, const std::string& status, bool final) {
  if (quiet_) return;
  const std::lock_guard lock(mutex_);
  printer_.print(orchestrator::protocol::progress("Image", name, status, final));
}

std::function<void(std::int64_t, std::int64_t)> TransferProgress::bytes(const std::string& name,
                                                                        const std::string& verb) {
  if (quiet_ || !redraws_) return {};
  return [this, name, verb](std::int64_t done, std::int64_t total) {
    const auto now = std::chrono::steady_clock::now();
    {
      const std::lock_guard lock(mutex_);
      if (now - drawn_ < std::chrono::milliseconds(100)) return;
      drawn_ = now;
    }
    step(name, verb + " " + size_text(done) + " / " + size_text(total), false);
  };
}

image::PullResult pull_image(const Invocation& invocation, image::Store& store,
                             const std::string& reference,
                             const std::optional<image::Platform>& platform,
                             TransferProgress& progress) {
  const image::Reference parsed = image::Reference::parse(reference);
  const std::string name = parsed.familiar();
  image::PullOptions options;
  options.platform = platform;
  options.registry = registry_options(invocation);
  options.progress = progress.bytes(name, "Pulling");
  progress.step(name, "Pulling", false);
  image::PullResult result;
  try {
    result = image::pull(store, parsed, options);
  } catch (const os::Error&) {
    progress.step(name, "Error", true);
    throw;
  }
  progress.step(name, result.changed ? "Pulled" : "Up to date", true);
  if (result.other_platform)
    print_warning("image " + name + " is for " + result.image.config.platform.text() +
                  ", not for this machine (" + image::host_platform().text() + ")");
  return result;
}

}  // namespace cli
