// A client for what containers publish: one request, one answer, with a deadline.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "runtime/os/fd.hpp"

namespace support {

/// The body of the answer to GET `path`; nothing when the connection fails or breaks off.
/// `host` is an address in numbers, v4 or v6.
std::optional<std::string> http_get(const std::string& host, int port,
                                    const std::string& path = "/",
                                    std::chrono::milliseconds timeout = std::chrono::seconds(5));
/// The answer to one datagram; nothing when none comes in time.
std::optional<std::string> exchange_datagram(
    const std::string& host, int port, const std::string& text,
    std::chrono::milliseconds timeout = std::chrono::seconds(2));
/// Whether a connection to the port is accepted.
bool can_connect(const std::string& host, int port);

/// A connection whose every wait ends after `timeout`; empty when nobody answers.
os::UniqueFd open_connection(const std::string& host, int port, std::chrono::milliseconds timeout);

/// A listening TCP socket on 0.0.0.0; port 0 takes a free one.
struct Listener {
  os::UniqueFd socket;
  int port = 0;
};
Listener listen_on(int port = 0);
/// A port that nobody listens on just now, outside the range that the kernel hands out itself, so
/// that no outgoing connection takes it meanwhile.
int free_port();

}  // namespace support
