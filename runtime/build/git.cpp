#include "runtime/build/git.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <map>

#include "runtime/image/credentials.hpp"
#include "runtime/image/layer_stack.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/process.hpp"

namespace build {

namespace {

using std::chrono::steady_clock;

/// No fetch takes longer, whatever the server does.
constexpr std::chrono::minutes kLongest{60};
constexpr std::size_t kMaxAnswer = 4 * 1024 * 1024;
constexpr std::size_t kMaxError = 4096;
/// Nothing is to be written outside (umask), nor a file of more than 8 GiB (in blocks of 512).
constexpr const char* kBounds = "umask 022; ulimit -f 16777216; exec \"$@\"";

std::string find_git(const std::map<std::string, std::string>& environment) {
  const auto path = environment.find("PATH");
  std::string_view rest = path == environment.end()
                              ? std::string_view("/usr/local/bin:/usr/bin:/bin")
                              : std::string_view(path->second);
  while (!rest.empty()) {
    const auto end = std::min(rest.find(':'), rest.size());
    const std::string candidate = std::string(rest.substr(0, end)) + "/git";
    if (candidate.front() == '/' && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  throw os::Error("the program git is needed for this and is not installed (apt-get install git)");
}

/// scheme://host, for http and https.
std::string base_of(const std::string& remote) {
  if (!remote.starts_with("http://") && !remote.starts_with("https://")) return {};
  const auto begin = remote.find("://") + 3;
  const std::string authority = remote.substr(begin, remote.find('/', begin) - begin);
  const auto at = authority.rfind('@');
  return remote.substr(0, begin) + (at == std::string::npos ? authority : authority.substr(at + 1));
}

std::optional<std::string> secret_of(const BuildOptions& options, const std::string& id) {
  const auto found = options.secrets.find(id);
  if (found == options.secrets.end()) return std::nullopt;
  std::string text =
      found->second.content ? *found->second.content : os::read_file(found->second.file);
  text.resize(text.find_last_not_of("\r\n") + 1);
  return text;
}

/// The Authorization header that the build's secrets have for a host.
std::string authorization_for(const BuildOptions& options, const std::string& base) {
  const std::string host = base.substr(base.find("://") + 3);
  for (const std::string& suffix : {"." + host, std::string()}) {
    if (const auto header = secret_of(options, "GIT_AUTH_HEADER" + suffix)) return *header;
    if (const auto token = secret_of(options, "GIT_AUTH_TOKEN" + suffix))
      return "basic " + image::base64_encode("x-access-token:" + *token);
  }
  return {};
}

/// The exact names among the lines "COMMIT\tNAME" of git-ls-remote(1).
std::map<std::string, std::string> read_refs(const std::string& text) {
  std::map<std::string, std::string> refs;
  for (std::size_t at = 0; at < text.size();) {
    const std::string line = text.substr(at, text.find('\n', at) - at);
    at += line.size() + 1;
    const auto tab = line.find('\t');
    if (tab != std::string::npos && is_commit(line.substr(0, tab)))
      refs[line.substr(tab + 1)] = line.substr(0, tab);
  }
  return refs;
}

/// The full names that a ref may stand for, the best one first. Branches come before tags, as for
/// git-checkout(1); of an annotated tag the commit counts.
std::vector<std::string> candidates(const std::string& ref) {
  if (ref.empty()) return {"HEAD"};
  std::vector<std::string> names;
  if (ref.starts_with("refs/")) {
    names = {ref + "^{}", ref};
  } else {
    names = {"refs/" + ref, "refs/heads/" + ref, "refs/tags/" + ref + "^{}", "refs/tags/" + ref};
  }
  return names;
}

/// The session of a program: killed when this goes, unless the program has ended before.
class Group {
 public:
  /// To go before `leader` is reaped, for its number is another's after that.
  explicit Group(const os::Child& leader) : leader_(leader) {}
  ~Group() {
    if (armed_) kill();
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  void kill() const { ::kill(-leader_.pid(), SIGKILL); }
  void wait_for_end() {
    while (!leader_.pidfd().has_exited()) {
      pollfd wait{leader_.pidfd().get(), POLLIN, 0};
      ::poll(&wait, 1, 500);
    }
    armed_ = false;
  }

 private:
  const os::Child& leader_;
  bool armed_ = true;
};

/// What a program writes for people: line by line as it comes, and the last of it kept.
class Lines {
 public:
  Lines(const Git::Say& say, std::string& kept) : say_(say), kept_(kept) {}
  void take(std::string_view data) {
    kept_.append(data);
    if (kept_.size() > 2 * kMaxError) kept_.erase(0, kept_.size() - kMaxError);
    for (const char c : data) {
      if (c != '\n' && c != '\r') {
        if (line_.size() < kMaxError) line_ += c;
        continue;
      }
      if (!line_.empty()) say_(line_);
      line_.clear();
    }
  }

 private:
  const Git::Say& say_;
  std::string& kept_;
  std::string line_;
};

using Take = std::function<void(std::string_view)>;

/// Reads both until they end; false when that took too long.
bool read_both(int out, int error, const Take& take_out, const Take& take_error) {
  const auto deadline = steady_clock::now() + kLongest;
  std::array<pollfd, 2> waits{pollfd{out, POLLIN, 0}, pollfd{error, POLLIN, 0}};
  std::array<char, 16384> buffer{};
  while (waits[0].fd >= 0 || waits[1].fd >= 0) {
    if (steady_clock::now() > deadline) return false;
    if (::poll(waits.data(), waits.size(), 500) <= 0) continue;
    for (pollfd& wait : waits) {
      if (wait.fd < 0 || wait.revents == 0) continue;
      const ssize_t n = ::read(wait.fd, buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      const auto& take = &wait == waits.data() ? take_out : take_error;
      if (n > 0)
        take({buffer.data(), static_cast<std::size_t>(n)});
      else
        wait.fd = -1;
    }
  }
  return true;
}

void remove_git_directories(const std::string& directory) {
  std::vector<std::string> found;
  for (auto entry = std::filesystem::recursive_directory_iterator(directory);
       entry != std::filesystem::recursive_directory_iterator(); ++entry) {
    if (entry->path().filename() != ".git") continue;
    found.push_back(entry->path().string());
    entry.disable_recursion_pending();
  }
  for (const std::string& path : found) os::remove_tree(path);
}

}  // namespace

Git::Git(const BuildOptions& options, Cancel& cancel, Say say)
    : options_(options),
      cancel_(cancel),
      say_(std::move(say)),
      program_(find_git(options.environment)) {}

std::vector<std::string> Git::environment_for(const std::string& remote) const {
  std::map<std::string, std::string> result{
      {"LC_ALL", "C"},
      {"GIT_TERMINAL_PROMPT", "0"},
      {"GIT_CONFIG_NOSYSTEM", "1"},
      {"GIT_CONFIG_GLOBAL", "/dev/null"},
      {"GIT_ALLOW_PROTOCOL", "http:https:ssh:git"},
      {"GIT_HTTP_LOW_SPEED_LIMIT", "1024"},
      {"GIT_HTTP_LOW_SPEED_TIME", "60"},
      // A host that nobody knows is not trusted: its key belongs into known_hosts.
      {"GIT_SSH_COMMAND",
       "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=30"}};
  for (const char* name :
       {"PATH", "HOME", "SSH_AUTH_SOCK", "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
        "ALL_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO"})
    if (const auto found = options_.environment.find(name); found != options_.environment.end())
      result[name] = found->second;
  if (!options_.agents.empty()) {
    const auto agent = options_.agents.find("default");
    result["SSH_AUTH_SOCK"] =
        agent == options_.agents.end() ? options_.agents.begin()->second : agent->second;
  }
  const std::string base = base_of(remote);
  const std::string header = base.empty() ? "" : authorization_for(options_, base);
  if (!header.empty()) {
    // By the environment, for arguments can be seen by everybody; and never on to another host.
    result["GIT_CONFIG_COUNT"] = "2";
    result["GIT_CONFIG_KEY_0"] = "http." + base + "/.extraheader";
    result["GIT_CONFIG_VALUE_0"] = "Authorization: " + header;
    result["GIT_CONFIG_KEY_1"] = "http.followRedirects";
    result["GIT_CONFIG_VALUE_1"] = "false";
  }
  std::vector<std::string> list;
  for (const auto& [name, value] : result) list.push_back(name + "=" + value);
  return list;
}

Git::Result Git::run(const std::string& remote, const std::vector<std::string>& words) {
  cancel_.check();
  os::Pipe out = os::make_pipe();
  os::Pipe error = os::make_pipe();
  os::SpawnOptions options{
      .executable = "/bin/sh",
      .arguments = {"sh", "-c", kBounds, "sh", program_, "-c", "core.hooksPath=/dev/null", "-c",
                    "gc.auto=0", "-c", "advice.detachedHead=false", "-c",
                    "protocol.file.allow=never"},
      .environment = environment_for(remote),
      .descriptors = {{out.write.get(), STDOUT_FILENO}, {error.write.get(), STDERR_FILENO}},
      .new_session = true};
  options.arguments.insert(options.arguments.end(), words.begin(), words.end());
  os::Child child = os::spawn(options);
  out.write.reset();
  error.write.reset();
  Result result;
  {
    Group group(child);
    const Cancel::OnRequest stop(cancel_, [&group] { group.kill(); });
    Lines lines(say_, result.error);
    const auto take_out = [&](std::string_view data) {
      if (result.out.size() + data.size() > kMaxAnswer)
        throw os::Error(EFBIG, "read what git says of " + shown_remote(remote));
      result.out.append(data);
    };
    const auto take_error = [&](std::string_view data) { lines.take(data); };
    if (!read_both(out.read.get(), error.read.get(), take_out, take_error))
      throw os::Error(ETIMEDOUT, "fetch from " + shown_remote(remote));
    group.wait_for_end();
  }
  result.code = child.wait().code;
  cancel_.check();
  return result;
}

void Git::fail(const Result& result, const std::string& tried) const {
  // The last lines tell most; "fatal: " says nothing.
  std::string text = result.error;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const auto fatal = text.rfind("fatal: ");
  text = fatal != std::string::npos ? text.substr(fatal + 7) : text.substr(text.rfind('\n') + 1);
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (text.empty()) text = "git ends with " + std::to_string(result.code);
  if (text.find("could not read Username") != std::string::npos ||
      text.find("Authentication failed") != std::string::npos)
    text += " (it is not there, or it is private: --secret id=GIT_AUTH_TOKEN,env=NAME)";
  if (result.error.find("Host key verification failed") != std::string::npos)
    text = "the key of the host is not in ~/.ssh/known_hosts (ssh-keyscan shows it)";
  throw os::Error(tried + ": " + text);
}

std::string Git::must(const std::string& remote, const std::vector<std::string>& words,
                      const std::string& tried) {
  Result result = run(remote, words);
  if (result.code != 0) fail(result, tried);
  return std::move(result.out);
}

std::string Git::resolve(const GitSource& source) {
  const std::string what = "the git repository " + shown_remote(source.remote);
  std::string commit;
  if (is_commit(source.ref)) {
    commit = source.ref;
  } else {
    const std::vector<std::string> names = candidates(source.ref);
    std::vector<std::string> words{"ls-remote", "--", source.remote};
    words.insert(words.end(), names.begin(), names.end());
    const auto refs = read_refs(must(source.remote, words, "look at " + what));
    for (const std::string& name : names)
      if (const auto found = refs.find(name); found != refs.end() && commit.empty())
        commit = found->second;
    if (commit.empty())
      throw os::Error(what + (source.ref.empty() ? " has no commit"
                                                 : " has no branch or tag '" + source.ref +
                                                       "'; a commit is named by all its digits"));
  }
  if (!commit.starts_with(source.checksum))
    throw os::Error(what + ": " + (source.ref.empty() ? "HEAD" : "'" + source.ref + "'") +
                    " is commit " + commit + ", and the checksum says " + source.checksum);
  return commit;
}

/// Not every server gives a commit by its name, nor a history that is cut short.
void Git::fetch(const GitSource& source, const std::string& commit, const std::string& directory) {
  const std::vector<std::string> base{"-C", directory, "fetch", "--quiet"};
  const auto with = [&](std::vector<std::string> more) {
    std::vector<std::string> words = base;
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const Result exact = run(source.remote, with({"--depth=1", "--no-tags", "--", "origin", commit}));
  if (exact.code == 0) return;
  const Result all =
      run(source.remote, with({"--", "origin", "+HEAD:refs/remotes/origin/HEAD",
                               "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"}));
  if (all.code != 0)
    fail(exact, "fetch " + commit + " of the git repository " + shown_remote(source.remote));
  if (run(source.remote, {"-C", directory, "cat-file", "-e", commit + "^{commit}"}).code == 0)
    return;
  // It may be neither a branch nor a tag.
  if (!source.ref.empty() && !is_commit(source.ref) &&
      run(source.remote, with({"--", "origin", source.ref})).code == 0)
    return;
  throw os::Error("the git repository " + shown_remote(source.remote) + " has no commit " + commit);
}

CheckedOut Git::check_out(const GitSource& source, const std::string& commit,
                          const std::string& directory) {
  const std::string& remote = source.remote;
  const std::string what = "the git repository " + shown_remote(remote);
  os::make_directories(directory, 0755);
  must(remote, {"init", "--quiet", "--template=", "--", directory}, "begin " + what);
  must(remote, {"-C", directory, "remote", "add", "origin", remote}, "begin " + what);
  fetch(source, commit, directory);
  must(remote, {"-C", directory, "checkout", "--quiet", "--detach", commit},
       "check out " + commit + " of " + what);
  CheckedOut result{.directory = directory};
  const std::string time = must(
      remote, {"-C", directory, "show", "--no-patch", "--format=%ct", commit}, "look at " + commit);
  std::from_chars(time.data(), time.data() + time.size(), result.time);
  const image::LayerStack tree({directory});
  if (source.submodules && tree.resolve(".gitmodules")) {
    const std::vector<std::string> words{"-C",     directory, "submodule",  "--quiet",
                                         "update", "--init",  "--recursive"};
    std::vector<std::string> shallow = words;
    shallow.emplace_back("--depth=1");
    if (run(remote, shallow).code != 0) must(remote, words, "fetch the submodules of " + what);
  }
  if (!source.keep_git_directory) remove_git_directories(directory);
  if (source.subdirectory.empty()) return result;
  const auto found = tree.resolve(source.subdirectory);
  if (!found || !found->is_directory())
    throw os::Error(what + " has no directory '" + source.subdirectory + "' in commit " + commit);
  result.directory =
      std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(found->top())).string();
  return result;
}

}  // namespace build
