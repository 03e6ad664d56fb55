// The host's table `inet stack`, shared by all stacks: made with the first, removed with the last,
// made again when something flushed it. Other tables are never touched. The host is the calling
// thread's network namespace.
#pragma once

#include <string>

#include "network/record.hpp"

namespace network {

class HostFirewall {
 public:
  /// `networks_dir` holds the records of all stacks.
  explicit HostFirewall(std::string networks_dir) : networks_dir_(std::move(networks_dir)) {}

  /// Puts the stack, whose record is saved, into the table. Needs the lock of `networks_dir`.
  void add_stack(const Record& record) const;
  /// Takes it out, and the table with the last one. Needs the lock of `networks_dir`.
  void remove_stack(const Record& record) const;
  /// Carries out changes of elements (host_port_elements()) that the saved records include.
  void commit(const std::string& changes) const;
  /// Makes the table again when somebody took it or parts of it. Needs the lock of `networks_dir`.
  /// Throws os::Error when it still is not whole then.
  void restore() const;

 private:
  std::vector<Record> records() const;
  void rebuild() const;
  std::string networks_dir_;
};

}  // namespace network
