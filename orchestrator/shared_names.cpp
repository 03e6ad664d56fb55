#include "orchestrator/shared_names.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <set>
#include <tuple>

#include "orchestrator/log.hpp"
#include "runtime/os/error.hpp"

namespace orchestrator {

namespace {

bool same(const network::DnsEndpoint& one, const network::DnsEndpoint& other) {
  return std::tie(one.name, one.aliases, one.addresses) ==
         std::tie(other.name, other.aliases, other.addresses);
}

}  // namespace

SharedNames::SharedNames(boost::asio::io_context& io, const SharedNetworks& networks,
                         network::DnsZone& zone)
    : networks_(networks), zone_(zone), inotify_(io) {}

void SharedNames::follow(const std::string& network) {
  if (!inotify_.is_open())
    inotify_.assign(os::check(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK),
                              [] { return std::string("start inotify"); }));
  if (!follows(network)) {
    const std::string directory = networks_.names_directory(network);
    const int watch = os::check(::inotify_add_watch(inotify_.native_handle(), directory.c_str(),
                                                    IN_MOVED_TO | IN_DELETE | IN_ONLYDIR),
                                [&] { return "watch '" + directory + "'"; });
    known_[network];
    watches_[watch] = network;
    if (watches_.size() == 1) wait();
  }
  refresh(network);
}

void SharedNames::refresh(const std::string& network) {
  const auto names = networks_.names(network);
  auto& known = known_[network];
  std::erase_if(known, [&](const auto& entry) {
    if (names.contains(entry.first)) return false;
    zone_.remove(network, entry.first);
    return true;
  });
  for (const auto& [owner, endpoint] : names) {
    const auto before = known.find(owner);
    if (before != known.end() && same(before->second, endpoint)) continue;
    try {
      zone_.set(network, owner, endpoint);
      known.insert_or_assign(owner, endpoint);
    } catch (const os::Error& error) {
      log_warning("names of " + owner + " on network " + network + ": " + error.what());
    }
  }
}

void SharedNames::wait() {
  inotify_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [this](const boost::system::error_code& failed) {
                        if (failed) return;
                        take();
                        if (!watches_.empty()) wait();
                      });
}

void SharedNames::take() {
  alignas(inotify_event) std::array<char, 16384> buffer;
  std::set<std::string> changed;
  for (ssize_t size; (size = ::read(inotify_.native_handle(), buffer.data(), buffer.size())) > 0;) {
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      if ((event->mask & IN_Q_OVERFLOW) != 0)
        for (const auto& [watch, network] : watches_) changed.insert(network);
      const auto watched = watches_.find(event->wd);
      if (watched == watches_.end()) continue;
      changed.insert(watched->second);
      // The network was removed, and may be made again.
      if ((event->mask & IN_IGNORED) != 0) {
        refresh(watched->second);
        known_.erase(watched->second);
        changed.erase(watched->second);
        watches_.erase(watched);
      }
    }
  }
  for (const std::string& network : changed) refresh(network);
}

}  // namespace orchestrator
