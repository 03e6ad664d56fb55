// Fetches from git repositories with the git program, which is needed only for that. It runs
// without the configuration of this machine, asks nobody anything, and speaks http, https, ssh and
// git alone.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/build/cancel.hpp"
#include "runtime/build/git_source.hpp"
#include "runtime/build/options.hpp"

namespace build {

/// A commit as files.
struct CheckedOut {
  std::string directory;  ///< the real path of what the source means
  std::int64_t time = 0;  ///< of the commit, seconds
};

class Git {
 public:
  using Say = std::function<void(std::string_view line)>;
  /// `options`: PATH, proxies, the secrets GIT_AUTH_TOKEN[.HOST] and GIT_AUTH_HEADER[.HOST], the
  /// SSH agent. `say` is told what git writes. Throws os::Error when there is no git program.
  Git(const BuildOptions& options, Cancel& cancel, Say say);

  /// The commit that `source` means now. Throws os::Error when there is none, or another than its
  /// checksum says.
  std::string resolve(const GitSource& source);
  /// Fetches that commit into the new directory `directory`, its submodules too. Files have modes
  /// 0644 and 0755.
  CheckedOut check_out(const GitSource& source, const std::string& commit,
                       const std::string& directory);

 private:
  struct Result {
    int code = 0;
    std::string out;
    std::string error;  ///< the last that it wrote
  };
  Result run(const std::string& remote, const std::vector<std::string>& words);
  /// The same, and a failure is thrown: `tried` says what was tried.
  std::string must(const std::string& remote, const std::vector<std::string>& words,
                   const std::string& tried);
  std::vector<std::string> environment_for(const std::string& remote) const;
  void fetch(const GitSource& source, const std::string& commit, const std::string& directory);
  [[noreturn]] void fail(const Result& result, const std::string& tried) const;

  const BuildOptions& options_;
  Cancel& cancel_;
  Say say_;
  std::string program_;
};

}  // namespace build
