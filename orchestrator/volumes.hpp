// Named and anonymous volumes: a directory each, with a record beside it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace orchestrator {

struct VolumeRecord {
  std::string name;
  std::string project;  ///< that made it
  std::string key;      ///< in the project's file; empty for anonymous ones
  bool anonymous = false;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> driver_opts;
  std::string created_at;
};

/// `ROOT/NAME/volume.json` and `ROOT/NAME/_data`. Errors are os::Error.
class VolumeStore {
 public:
  explicit VolumeStore(std::string root) : root_(std::move(root)) {}

  /// A name is one path component: [a-zA-Z0-9][a-zA-Z0-9_.-]*; throws for any other.
  std::optional<VolumeRecord> find(const std::string& name) const;
  std::vector<VolumeRecord> list() const;
  /// Makes the volume, or keeps the one that is there. The record is durable before the directory
  /// is used.
  void create(const VolumeRecord& volume);
  /// Deletes the volume with its data; content when there is none.
  void remove(const std::string& name);
  /// Where its files are.
  std::string directory(const std::string& name) const { return root_ + "/" + name + "/_data"; }

 private:
  std::string root_;
};

}  // namespace orchestrator
