// Where the files of a build come from: a directory, a git repository, a URL, a tar. All but the
// directory are fetched or unpacked into one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace build {

struct Session;

/// What stands for standard input.
inline constexpr const char* kStandardInput = "-";

enum class ContextKind { directory, git, url, archive };

/// What the text of a context means: "-" and a regular file are an archive (or a Dockerfile alone),
/// what is there is not looked for elsewhere. Throws os::Error for a git URL that cannot be.
ContextKind context_kind(const std::string& text);
/// Whether it lies elsewhere, told by the text alone: git and URLs.
bool is_remote_context(const std::string& text);

/// A context that lies in a directory now, until the build ends.
struct FetchedContext {
  std::string directory;
  std::optional<std::string> dockerfile;  ///< it was no archive: the text of a Dockerfile alone
  std::optional<std::int64_t> time;       ///< of the commit, seconds
  bool has_owners = false;                ///< those of an archive's files are meant
};

/// Fetches a context of any kind but a directory, as a step of the build that people see. Throws
/// Canceled, and os::Error that names the context.
FetchedContext fetch_context(Session& session, const std::string& text);

}  // namespace build
