// Performs a plan inside the container's namespaces.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "runtime/monitor/console.hpp"
#include "runtime/monitor/devices.hpp"
#include "runtime/monitor/launch.hpp"
#include "runtime/monitor/procfs.hpp"
#include "runtime/monitor/program.hpp"

namespace monitor {

class Applier {
 public:
  Applier(Launch& launch, Progress& progress) : launch_(launch), progress_(progress) {}

  /// Every step in order. Throws os::Error with progress.stage telling which kind of step failed.
  void run();
  /// The private handle of the container's pid namespace.
  const Procfs& procfs();
  /// What a ConsoleStep made.
  std::optional<Terminal>& terminal() noexcept { return terminal_; }

 private:
  void apply(const PropagationStep& step);
  void apply(const RootStep& step);
  void apply(const MountStep& step);
  void apply(const DeviceStep& step);
  void apply(const LinkStep& step);
  void apply(const ConsoleStep& step);
  void apply(const SysctlStep& step);
  void apply(const HooksStep& step);
  void apply(const PivotStep& step);
  void apply(const HostnameStep& step);
  void apply(const DomainnameStep& step);
  void apply(const NullStreamsStep& step);
  void apply(const WorkingDirectoryStep& step);
  void apply(const ReadonlyPathStep& step);
  void apply(const MaskedPathStep& step);
  void apply(const ReadonlyMountStep& step);
  void apply(const RootPropagationStep& step);

  Launch& launch_;
  Progress& progress_;
  std::size_t index_ = 0;
  std::optional<Procfs> procfs_;
  std::optional<Terminal> terminal_;
  PathMask mask_;
  std::map<std::string, os::UniqueFd> readonly_later_;  ///< by destination
  os::UniqueFd new_root_;                               ///< "/" as seen after the pivot

  int root() const noexcept { return new_root_ ? new_root_.get() : launch_.root.get(); }
};

}  // namespace monitor
