// The Language Server Protocol (3.17) for Compose files: messages in, messages out. Diagnostics are
// those of `config`, for the text as it stands in the editor; completion, hover and definitions
// come from manifests/language.hpp. Who carries the messages is the business of lsp.cpp.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace cli {

class LanguageServer {
 public:
  using Json = nlohmann::json;

  /// `environment` is what the files' variables are looked up in first.
  explicit LanguageServer(std::map<std::string, std::string> environment)
      : environment_(std::move(environment)) {}

  /// Takes a message of the client; returns what is to be sent, in order.
  std::vector<Json> handle(const Json& message);

  /// The client has said `exit`; 0 when it said `shutdown` before, else 1.
  std::optional<int> exit_code() const { return exit_code_; }

 private:
  Json request(const std::string& method, const Json& parameters);
  void notification(const std::string& method, const Json& parameters);
  Json initialize(const Json& parameters);
  Json completion(const Json& parameters) const;
  Json hover(const Json& parameters) const;
  Json definition(const Json& parameters) const;
  void check(const std::string& uri);

  /// The text of an open file; empty when it is not open.
  const std::string& text_of(const std::string& uri) const;

  std::map<std::string, std::string> environment_;
  std::map<std::string, std::string> open_;            ///< URI → text
  std::map<std::string, std::set<std::string>> told_;  ///< URI → files that its check spoke of
  std::vector<Json> outgoing_;
  bool utf8_ = false;  ///< columns count bytes, not UTF-16 units
  bool shut_down_ = false;
  std::optional<int> exit_code_;
};

/// `file:///a%20b` → `/a b`; nullopt for another scheme.
std::optional<std::string> path_of_uri(const std::string& uri);
std::string uri_of_path(const std::string& path);

}  // namespace cli
