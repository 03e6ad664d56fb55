#include "runtime/monitor/clients.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "runtime/monitor/stage.hpp"
#include "runtime/os/channel.hpp"
#include "runtime/os/error.hpp"

namespace monitor {

namespace {

constexpr std::size_t kMaxClients = 256;

bool may_control(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == ::geteuid();
}

std::string text_of(const nlohmann::json& message) {
  return message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Clients::~Clients() {
  if (listener_) loop_.remove(listener_.get());
  for (const auto& [id, client] : clients_) loop_.remove(client.socket.get());
}

void Clients::listen(os::UniqueFd listener) {
  listener_ = std::move(listener);
  os::set_nonblocking(listener_.get());
  loop_.add(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept(); });
}

void Clients::accept() {
  os::UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket || clients_.size() >= kMaxClients || !may_control(socket.get())) return;
  adopt(std::move(socket), false);
}

ClientId Clients::adopt(os::UniqueFd socket, bool subscribed) {
  os::set_nonblocking(socket.get());
  const ClientId id = next_id_++;
  loop_.add(socket.get(), EPOLLIN, [this, id](std::uint32_t) { serve(id); });
  clients_[id] = Client{std::move(socket), subscribed};
  return id;
}

void Clients::subscribe(ClientId client) {
  const auto found = clients_.find(client);
  if (found != clients_.end()) found->second.subscribed = true;
}

bool Clients::has_subscribers() const {
  for (const auto& [id, client] : clients_)
    if (client.subscribed) return true;
  return false;
}

void Clients::serve(ClientId client) {
  std::optional<os::Message> packet;
  try {
    packet = os::receive_message(clients_.at(client).socket.get());
  } catch (const os::Error& error) {
    if (error.code() == EAGAIN) return;
    return drop(client);
  }
  if (!packet) return drop(client);
  const auto request = nlohmann::json::parse(packet->data, nullptr, false);
  if (!request.is_object()) return drop(client);
  try {
    handlers_.request(client, request, std::move(packet->fds));
  } catch (...) {
    nlohmann::json reply = {{"event", "error"},
                            {"message", current_failure(Stage::validate).message}};
    if (request.contains("seq")) reply["seq"] = request["seq"];
    send(client, reply);
  }
}

void Clients::drop(ClientId client) {
  const auto found = clients_.find(client);
  if (found == clients_.end()) return;
  loop_.remove(found->second.socket.get());
  const bool subscribed = found->second.subscribed;
  clients_.erase(found);
  handlers_.closed(client);
  if (subscribed && !has_subscribers()) handlers_.orphaned();
}

void Clients::broadcast(const nlohmann::json& event) {
  std::vector<ClientId> subscribers;
  for (const auto& [id, client] : clients_)
    if (client.subscribed) subscribers.push_back(id);
  for (const ClientId id : subscribers) send(id, event);
}

void Clients::send(ClientId client, const nlohmann::json& message, const std::vector<int>& fds) {
  const auto found = clients_.find(client);
  if (found == clients_.end()) return;
  try {
    os::send_message(found->second.socket.get(), text_of(message), fds);
  } catch (const os::Error&) {
    // It may be in the middle of a broadcast or a request: closing comes when that is over.
    loop_.after(std::chrono::milliseconds(0), [this, client] { drop(client); });
  }
}

}  // namespace monitor
