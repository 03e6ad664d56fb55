#include "tests/support/git_server.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <stdexcept>

#include "tests/support/command.hpp"

namespace support {

namespace {

constexpr const char* kGit = "/usr/bin/git";

std::map<std::string, std::string> environment() {
  return {{"PATH", "/usr/bin:/bin"},
          {"HOME", "/nonexistent"},
          {"GIT_CONFIG_NOSYSTEM", "1"},
          {"GIT_AUTHOR_NAME", "a"},
          {"GIT_AUTHOR_EMAIL", "a@example.com"},
          {"GIT_COMMITTER_NAME", "a"},
          {"GIT_COMMITTER_EMAIL", "a@example.com"}};
}

std::string run_git(const std::vector<std::string>& words, const std::string& directory) {
  std::vector<std::string> arguments{kGit, "-c", "init.defaultBranch=main"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  CommandOptions options;
  options.environment = environment();
  options.working_directory = directory;
  Output output = run(arguments, options);
  if (output.code != 0) throw std::runtime_error("git: " + output.err);
  if (output.out.ends_with('\n')) output.out.pop_back();
  return output.out;
}

/// A CGI program's answer (RFC 3875): headers, an empty line, the body.
ServedAnswer read_cgi(const std::string& text) {
  ServedAnswer answer;
  std::size_t at = 0;
  for (;;) {
    const std::size_t end = text.find("\r\n", at);
    if (end == std::string::npos) return {.status = 500, .body = text};
    const std::string line = text.substr(at, end - at);
    at = end + 2;
    if (line.empty()) break;
    const std::string name = line.substr(0, line.find(':'));
    const std::string value = line.substr(line.find(':') + 2);
    if (name == "Status")
      answer.status = std::stoi(value);
    else
      answer.headers.emplace(name, value);
  }
  answer.body = text.substr(at);
  return answer;
}

}  // namespace

GitServer::GitServer() : server_([this](const ServedRequest& request) { return answer(request); }) {
  os::make_directories(directory_.path() + "/served", 0755);
}

void GitServer::create(const std::string& name) {
  os::make_directories(working_tree(name), 0755);
  run_git({"init", "--quiet"}, working_tree(name));
  run_git({"init", "--quiet", "--bare", directory_.path() + "/served/" + name + ".git"}, "/");
  run_git({"remote", "add", "origin", directory_.path() + "/served/" + name + ".git"},
          working_tree(name));
}

void GitServer::write(const std::string& name, const std::string& path, const std::string& text,
                      mode_t mode) {
  const std::string whole = working_tree(name) + "/" + path;
  os::make_directories(std::filesystem::path(whole).parent_path().string(), 0755);
  os::write_file_atomic(whole, text, mode);
}

std::string GitServer::git(const std::string& name, const std::vector<std::string>& words) {
  return run_git(words, working_tree(name));
}

std::string GitServer::commit(const std::string& name) {
  git(name, {"add", "--all"});
  git(name, {"commit", "--quiet", "--allow-empty", "--message", "m"});
  return publish(name);
}

std::string GitServer::publish(const std::string& name) {
  git(name, {"push", "--quiet", "--all", "--force", "origin"});
  git(name, {"push", "--quiet", "--tags", "--force", "origin"});
  return git(name, {"rev-parse", "HEAD"});
}

ServedAnswer GitServer::answer(const ServedRequest& request) {
  if (!authorization.empty() && request.header("authorization") != authorization)
    return {.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"git\""}}};
  CommandOptions options;
  options.environment = environment();
  options.environment["GIT_PROJECT_ROOT"] = directory_.path() + "/served";
  options.environment["GIT_HTTP_EXPORT_ALL"] = "1";
  options.environment["REQUEST_METHOD"] = request.method;
  options.environment["PATH_INFO"] = request.path;
  options.environment["QUERY_STRING"] = request.query;
  options.environment["CONTENT_TYPE"] = request.header("content-type");
  options.environment["CONTENT_LENGTH"] = std::to_string(request.body.size());
  options.environment["HTTP_CONTENT_ENCODING"] = request.header("content-encoding");
  options.environment["GIT_PROTOCOL"] = request.header("git-protocol");
  const os::TempDir body("/var/tmp", "git-body-");
  os::write_file_atomic(body.path() + "/body", request.body, 0600);
  options.input = body.path() + "/body";
  return read_cgi(run({kGit, "http-backend"}, options).out);
}

}  // namespace support
