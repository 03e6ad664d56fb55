// The network of a build: made for it when the first step needs one, thrown away with it. Each step
// has a network namespace of its own, with the host's names and the way out that a service has.
#pragma once

#include <memory>
#include <string>

#include "orchestrator/paths.hpp"
#include "runtime/build/options.hpp"

namespace orchestrator {

/// The name that the network of a build has among those of projects and shared networks; none of
/// theirs begins like it.
std::string build_network_name(const std::string& build);

class BuildNetworks : public build::Networks {
 public:
  /// `build` is the build's id.
  BuildNetworks(const Paths& paths, std::string build);
  /// Takes the network away.
  ~BuildNetworks() override;

  build::StepNetwork join(const std::string& step) override;
  void leave(const std::string& step) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace orchestrator
