// Git repositories for tests, served over HTTP on loopback as git's own server does
// (git-http-backend(1)), open to all or with a password.
#pragma once

#include <string>
#include <vector>

#include "runtime/os/file.hpp"
#include "tests/support/http_server.hpp"

namespace support {

class GitServer {
 public:
  GitServer();

  /// A new repository with a branch `main`; what is served is a bare clone, see publish().
  void create(const std::string& name);
  /// Writes a file into the working tree of a repository; a name that ends in "/" is a directory.
  void write(const std::string& name, const std::string& path, const std::string& text,
             mode_t mode = 0644);
  /// Runs git in the working tree. Its output, without the last line's end; throws when it fails.
  std::string git(const std::string& name, const std::vector<std::string>& words);
  /// Commits all, and gives branches and tags to the served clone. Returns the commit.
  std::string commit(const std::string& name);
  std::string publish(const std::string& name);

  std::string working_tree(const std::string& name) const {
    return directory_.path() + "/work/" + name;
  }
  /// Where NAME.git is, for other ways to it.
  std::string served() const { return directory_.path() + "/served"; }
  std::string url(const std::string& name) const { return server_.url() + "/" + name + ".git"; }
  std::string host() const { return server_.host(); }
  const HttpServer& server() const { return server_; }

  /// What requests must carry as Authorization; empty: nothing. To be set before the first one.
  std::string authorization;

 private:
  ServedAnswer answer(const ServedRequest& request);

  os::TempDir directory_{"/var/tmp", "git-"};
  HttpServer server_;
};

}  // namespace support
