// The steps of a stage that make layers. Each gives the record of its layer and whether it was made
// before.
#pragma once

#include <string>

#include "runtime/build/session.hpp"

namespace build {

/// Where a step stands.
struct StepPlace {
  const Stage* stage = nullptr;
  std::size_t progress = 0;  ///< the step's number there
  bool use_cache = true;
};

struct StepOutcome {
  image::CacheRecord record;
  bool cached = false;
};

StepOutcome perform_run(Session& session, const RunStep& step, Root& root, const StepPlace& place);
StepOutcome perform_copy(Session& session, const CopyStep& step, Root& root,
                         const StepPlace& place);
StepOutcome perform_workdir(Session& session, const WorkdirStep& step, Root& root,
                            const StepPlace& place);

/// The control group of all steps, as the supervisor's containers have it.
inline constexpr const char* kCgroup = "/stack";
/// That of one step, side by side with others, so that the last one takes kCgroup with it.
inline std::string step_cgroup(const std::string& container) {
  return std::string(kCgroup) + "/build-" + container;
}

/// A program of a step ended with another code than 0.
class ProgramFailed : public std::runtime_error {
 public:
  ProgramFailed(const std::string& message, std::string output)
      : std::runtime_error(message), output_(std::move(output)) {}
  /// All that it said, up to 1 MiB from its end.
  const std::string& output() const noexcept { return output_; }

 private:
  std::string output_;
};

/// An owner, "u", "u:g", names by the passwd and group files of `root`. `strict_group`: of a bare
/// number the group is the same number (COPY), else 0 (USER).
std::pair<uid_t, gid_t> resolve_owner(Session& session, const Root& root, const std::string& text,
                                      bool number_is_group);

/// Takes the layer of `key` from the cache, or has `make` fill a staged directory.
StepOutcome cached_or_made(Session& session, Root& root, const image::Digest& key,
                           const StepPlace& place,
                           const std::function<void(const Staging& staging)>& make);

}  // namespace build
