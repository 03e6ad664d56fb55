// The program that runs containers, for whoever starts it more than once.
#pragma once

#include <string>
#include <vector>

#include "runtime/os/fd.hpp"

namespace container {

/// stack-runtime on a read-only mount that is attached nowhere, so that nothing that runs in a
/// container can write to it. It makes such a mount by itself when it is started otherwise; each
/// costs a second exec and, when it goes, a grace period of the kernel.
class RuntimeFile {
 public:
  /// Where no mount can be made the program at `path` itself is what executable() names: it says so
  /// then, or has other means.
  explicit RuntimeFile(std::string path);
  /// For posix_spawn(3) and execve(2) in a child of this process.
  const std::string& executable() const noexcept { return executable_; }
  /// Ours, and what tells it where it lies: "K=V".
  const std::vector<std::string>& environment() const noexcept { return environment_; }

 private:
  os::UniqueFd file_;
  std::string executable_;
  std::vector<std::string> environment_;
};

}  // namespace container
