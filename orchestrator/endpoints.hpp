// A project's networks and ports in the words of the network room. Pure.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "manifests/stack.hpp"
#include "network/dns_zone.hpp"
#include "network/network.hpp"
#include "orchestrator/record.hpp"

namespace orchestrator {

/// Throws os::Error for a driver that is not there, or a bad option.
network::NetworkSpec network_spec(const manifests::Network& network);

/// Every network of the stack that is its own, without those that it shares with others. Throws
/// os::Error for a driver that is not there.
std::vector<network::NetworkSpec> network_specs(const manifests::Stack& stack);

/// What a service wants of its networks: interfaces by falling priority, the default route by
/// gw_priority, dual stack, then name (Compose A7). Empty with a network_mode.
std::vector<network::EndpointSpec> endpoint_specs(const manifests::Stack& stack,
                                                  const manifests::Service& service);

/// The endpoints of one container on networks of different namespaces, made to fit together: every
/// interface named, the way out given by one namespace alone. `is_shared` tells the networks that
/// have a namespace of their own.
std::vector<network::EndpointSpec> arrange(
    std::vector<network::EndpointSpec> endpoints,
    const std::function<bool(const std::string& network)>& is_shared);

/// The ports that a container of the service publishes; none with a network_mode that has no ports.
std::vector<network::PublishSpec> publish_specs(const manifests::Service& service);

/// The names that a container answers to on one network, given by its key in the stack.
/// `by_service` adds the service's name and aliases, which a one-off does without.
network::DnsEndpoint dns_endpoint(const manifests::Service& service, const ContainerRecord& record,
                                  const std::string& network_key, bool by_service,
                                  const network::Address& address);

/// What a container sees of the stack's names.
network::DnsView dns_view(const manifests::Stack& stack, const manifests::Service& service);

}  // namespace orchestrator
