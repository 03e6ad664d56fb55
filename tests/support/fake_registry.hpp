// A registry in memory (OCI distribution specification) that can be told to misbehave: a hook sees
// every request first and may answer it itself.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "tests/support/http_server.hpp"

namespace support {

class FakeRegistry {
 public:
  using Hook = std::function<std::optional<ServedAnswer>(const ServedRequest&)>;
  /// `digest_of` computes "sha256:…" of some bytes.
  explicit FakeRegistry(std::function<std::string(const std::string&)> digest_of)
      : digest_of_(std::move(digest_of)),
        server_([this](const ServedRequest& request) { return answer(request); }) {}

  /// To be set before the first request.
  Hook hook;
  bool ranges = true;  ///< whether it knows Range

  std::string host() const { return server_.host(); }
  const HttpServer& server() const { return server_; }

  std::string add_blob(const std::string& bytes) {
    const std::string digest = digest_of_(bytes);
    blobs_[digest] = bytes;
    return digest;
  }
  /// Returns its digest.
  std::string add_manifest(const std::string& name, const std::string& bytes,
                           const std::string& type) {
    const std::string digest = digest_of_(bytes);
    manifests_[name] = manifests_[digest] = {bytes, type};
    return digest;
  }
  const std::map<std::string, std::string>& blobs() const { return blobs_; }
  std::optional<std::string> manifest(const std::string& name) const {
    const auto found = manifests_.find(name);
    if (found == manifests_.end()) return std::nullopt;
    return found->second.first;
  }

 private:
  static ServedAnswer status(int code) { return {.status = code}; }

  ServedAnswer answer(const ServedRequest& request) {
    if (hook)
      if (auto own = hook(request)) return *own;
    if (request.path == "/v2/") return status(200);
    const auto after = [&](const std::string& part) -> std::optional<std::string> {
      const auto at = request.path.find(part);
      if (at == std::string::npos) return std::nullopt;
      return request.path.substr(at + part.size());
    };
    if (const auto name = after("/manifests/")) return on_manifest(request, *name);
    if (const auto id = after("/blobs/uploads/")) return on_upload(request, *id);
    if (const auto digest = after("/blobs/")) return on_blob(request, *digest);
    return status(404);
  }

  ServedAnswer on_manifest(const ServedRequest& request, const std::string& name) {
    if (request.method == "PUT") {
      const std::string digest = add_manifest(name, request.body, request.header("content-type"));
      return {.status = 201, .headers = {{"Docker-Content-Digest", digest}}};
    }
    const auto found = manifests_.find(name);
    if (found == manifests_.end())
      return {.status = 404,
              .body = R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]})"};
    return {.headers = {{"Content-Type", found->second.second},
                        {"Docker-Content-Digest", digest_of_(found->second.first)}},
            .body = found->second.first};
  }

  ServedAnswer on_blob(const ServedRequest& request, const std::string& digest) {
    const auto found = blobs_.find(digest);
    if (found == blobs_.end()) return status(404);
    const std::string range = request.header("range");
    if (!ranges || range.empty()) return {.body = found->second};
    const std::size_t from = std::stoul(range.substr(range.find('=') + 1));
    if (from >= found->second.size()) return status(416);
    return {.status = 206, .body = found->second.substr(from)};
  }

  ServedAnswer on_upload(const ServedRequest& request, const std::string& id) {
    if (request.method == "POST") {
      const auto mount = request.query.find("mount=");
      if (mount != std::string::npos) {
        std::string digest = request.query.substr(mount + 6);
        digest = digest.substr(0, digest.find('&'));
        if (digest.starts_with("sha256%3A")) digest.replace(0, 9, "sha256:");
        if (blobs_.contains(digest)) return status(201);
      }
      return moved(202, std::to_string(++uploads_), "");
    }
    // Each answer names a new place; only the newest one is good.
    const std::string key = id.substr(0, id.find('.'));
    if (id != newest_[key]) return status(404);
    std::string& data = parts_[key];
    if (request.method == "GET") return moved(204, key, data);
    data += request.body;
    if (request.method == "PATCH") return moved(202, key, data);
    const auto at = request.query.find("digest=");
    std::string digest = request.query.substr(at + 7);
    if (digest.starts_with("sha256%3A")) digest.replace(0, 9, "sha256:");
    if (digest_of_(data) != digest) return status(400);
    blobs_[digest] = data;
    return status(201);
  }

  ServedAnswer moved(int code, const std::string& key, const std::string& data) {
    newest_[key] = key + "." + std::to_string(++places_);
    const std::size_t end = data.empty() ? 0 : data.size() - 1;
    return {.status = code,
            .headers = {{"Location", "/v2/uploads/blobs/uploads/" + newest_[key] + "?state=x"},
                        {"Range", "0-" + std::to_string(end)}}};
  }

  std::function<std::string(const std::string&)> digest_of_;
  std::map<std::string, std::string> blobs_;
  std::map<std::string, std::pair<std::string, std::string>> manifests_;
  std::map<std::string, std::string> newest_;
  std::map<std::string, std::string> parts_;
  int uploads_ = 0;
  int places_ = 0;
  HttpServer server_;
};

}  // namespace support
