#include "network/dns_server.hpp"

#include <unordered_map>
#include <utility>

#include "network/dns_listener.hpp"
#include "runtime/os/error.hpp"

namespace network {

struct DnsServer::Impl {
  Impl(boost::asio::io_context& io, UpstreamConfig upstream) : context(io, std::move(upstream)) {}

  DnsContext context;
  std::unordered_map<std::string, std::shared_ptr<DnsListener>> listeners;
};

DnsServer::DnsServer(boost::asio::io_context& io, UpstreamConfig upstream)
    : impl_(std::make_unique<Impl>(io, std::move(upstream))) {}

DnsServer::~DnsServer() {
  for (const auto& [id, listener] : impl_->listeners) listener->close();
}

DnsZone& DnsServer::zone() noexcept { return impl_->context.zone; }

void DnsServer::add(const std::string& endpoint_id, os::UniqueFd udp, os::UniqueFd tcp,
                    DnsPolicy policy) {
  remove(endpoint_id);
  auto listener = std::make_shared<DnsListener>(
      impl_->context, std::make_shared<const DnsPolicy>(std::move(policy)));
  listener->start(std::move(udp), std::move(tcp));
  impl_->listeners.emplace(endpoint_id, std::move(listener));
}

void DnsServer::update(const std::string& endpoint_id, DnsPolicy policy) {
  const auto listener = impl_->listeners.find(endpoint_id);
  if (listener == impl_->listeners.end()) {
    throw os::Error("no DNS endpoint '" + endpoint_id + "'");
  }
  listener->second->set_policy(std::make_shared<const DnsPolicy>(std::move(policy)));
}

void DnsServer::remove(const std::string& endpoint_id) {
  const auto listener = impl_->listeners.find(endpoint_id);
  if (listener == impl_->listeners.end()) return;
  listener->second->close();
  impl_->listeners.erase(listener);
}

}  // namespace network
