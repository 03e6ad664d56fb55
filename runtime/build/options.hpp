// Everything that one build is asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/build/cache_location.hpp"
#include "runtime/build/progress.hpp"
#include "runtime/container/spec.hpp"
#include "runtime/image/platform.hpp"
#include "runtime/image/reference.hpp"

namespace build {

/// What `RUN --mount=type=secret` and the downloads of ADD may use; never part of an image.
struct Secret {
  std::string file;  ///< its content, when `content` is absent
  std::optional<std::string> content;
};

/// The network that a step's program is in.
struct StepNetwork {
  std::string namespace_path;  ///< to join
  std::string resolv_conf;     ///< text of /etc/resolv.conf
  std::string host_gateway;    ///< what `host-gateway` stands for
};

/// Makes networks for steps; calls come from any thread.
class Networks {
 public:
  virtual ~Networks() = default;
  /// A network for one step, which is named; kept until leave().
  virtual StepNetwork join(const std::string& step) = 0;
  virtual void leave(const std::string& step) = 0;
};

struct BuildOptions {
  std::string id;  ///< of this build, unlike all others: names its directory and control groups
  std::string context;     ///< directory, or what context_kind() knows besides; empty: none
  std::string dockerfile;  ///< path, inside of a context that is fetched; empty: `Dockerfile` in it
  std::optional<std::string> dockerfile_text;  ///< in its place
  std::vector<std::string> names;              ///< of the image
  std::string target;
  std::map<std::string, std::string> arguments;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> contexts;  ///< name → as `context`, or docker-image://…
  std::map<std::string, Secret> secrets;
  std::map<std::string, std::string> agents;  ///< SSH id → socket
  std::set<std::string> entitlements;         ///< "network.host", "security.insecure"
  std::string network = "default";            ///< of steps that do not say: default, none, host
  std::vector<std::pair<std::string, std::string>> extra_hosts;  ///< name, address
  std::vector<container::Rlimit> limits;
  std::optional<std::uint64_t> shm_size;
  std::vector<CacheLocation> cache_from;
  std::vector<CacheLocation> cache_to;
  bool no_cache = false;
  std::set<std::string> no_cache_stages;
  std::optional<image::Platform> platform;
  std::optional<std::int64_t> source_date_epoch;
  bool epoch_of_context = false;  ///< the time of the git commit that is the context, in its place

  std::string data_directory;                      ///< cache mounts, the index of files
  std::string run_directory;                       ///< what of steps is gone at reboot
  std::string runtime;                             ///< path of stack-runtime
  std::map<std::string, std::string> environment;  ///< names proxies, for downloads
  /// Brings an image into the store, and says meanwhile how it goes on, in lines; absent: a missing
  /// image is a mistake. Throws os::Error.
  std::function<void(const std::string& reference, const std::optional<image::Platform>& platform,
                     const std::function<void(const std::string& line)>& say)>
      pull;
  bool always_pull = false;
  Networks* networks = nullptr;
  Progress* progress = nullptr;
};

/// A step failed.
class BuildFailed : public std::runtime_error {
 public:
  BuildFailed(const std::string& message, std::string details)
      : std::runtime_error(message), details_(std::move(details)) {}
  /// What the step's program said, and the place in the Dockerfile; lines with their ends.
  const std::string& details() const noexcept { return details_; }

 private:
  std::string details_;
};

/// The build was interrupted.
class Canceled : public std::runtime_error {
 public:
  Canceled() : std::runtime_error("canceled") {}
};

}  // namespace build
