// A stack's network while it is open: what Network is made of. What is on record, the sockets into
// the host and the stack, and the steps that change both.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "network/endpoint.hpp"
#include "network/host_firewall.hpp"
#include "network/netlink.hpp"
#include "network/network.hpp"
#include "network/paths.hpp"
#include "network/record.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/os/namespace.hpp"

namespace network {

/// The stack's end of an endpoint's interface.
std::string port_name(const std::string& owner, const std::string& network);

struct Network::State {
  State(const std::string& run_dir, const std::string& project_name, Work when = Work::now)
      : project(project_name),
        seed(run_dir + "\n" + project_name),
        paths(run_dir, project_name),
        firewall(paths.networks),
        work_(when) {}

  std::string project, seed;
  Paths paths;
  HostFirewall firewall;
  NetlinkSocket host;
  std::optional<NetlinkSocket> stack;
  os::UniqueFd netns;
  Record record;

  void open();
  void remove();
  void ensure(const std::vector<NetworkSpec>& specs);
  bool advance();
  void attach(const std::string& owner, int endpoint_netns);
  void detach(const std::string& owner);
  Published publish(const std::string& owner, const std::vector<PublishSpec>& ports);
  void withdraw(const std::vector<PublicationRecord>& publications);
  void save();
  bool has_unsaved_leases() const { return has_unsaved_leases_; }
  /// Takes over a changed record, writing it first.
  void adopt(Record next);
  /// Takes over leases. They are written when the first of them becomes an interface: many owners
  /// that start together cost one write.
  void keep_leases(Record next);

 private:
  Work work_;
  bool has_unsaved_leases_ = false;
  std::deque<std::function<void()>> pieces_;  ///< of work that is left for later

  /// Does it, or leaves it for later. The lock of all stacks is held meanwhile.
  void do_or_leave(std::function<void()> piece);
  void open_namespace();
  void open_uplink();
  void restore_networks(const std::vector<NetworkRecord>& networks);
  void remove_networks(const std::set<std::string>& names);
  std::vector<NetlinkMessage> host_routes(const std::vector<NetworkRecord>& networks);
  std::vector<NetworkRecord> plan(const std::vector<NetworkSpec>& wanted);
  Interface interface_of(const LeaseRecord& lease, const std::set<const LeaseRecord*>& ways_out4,
                         const std::set<const LeaseRecord*>& ways_out6);
  void inside(const std::function<void()>& work) const {
    os::in_network_namespace(netns.get(), work);
  }
};

}  // namespace network
