// Follows the event journal of a project (orchestrator/journal.hpp) over supervisors that come and
// go.
#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "orchestrator/paths.hpp"
#include "runtime/os/fd.hpp"

namespace cli {

class JournalReader {
 public:
  using Json = nlohmann::ordered_json;
  enum class Begin { at_start, at_end };

  JournalReader(const orchestrator::Paths& paths, const std::string& project, Begin begin);

  /// Readable when take() may have something (inotify(7)).
  int wake() const noexcept { return inotify_.get(); }
  /// The entries that came since the last call.
  std::vector<Json> take();

 private:
  void watch();
  bool open();
  void read(std::vector<Json>& entries);

  std::string parent_;
  std::string directory_;
  std::string path_;
  os::UniqueFd inotify_;
  os::UniqueFd file_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  std::string buffer_;
};

}  // namespace cli
