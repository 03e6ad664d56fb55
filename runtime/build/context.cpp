#include "runtime/build/context.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "runtime/build/archive_file.hpp"
#include "runtime/build/download.hpp"
#include "runtime/build/git.hpp"
#include "runtime/build/session.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace build {

namespace {

/// As downloads are bounded.
constexpr std::int64_t kLargest = std::int64_t{8} << 30;

/// Standard input as a file, for it is looked at twice.
os::UniqueFd set_aside(int fd, const std::string& path, Cancel& cancel) {
  os::UniqueFd file = os::open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  std::array<char, 65536> buffer{};
  std::int64_t size = 0;
  for (;;) {
    cancel.check();
    pollfd wait{fd, POLLIN, 0};
    if (::poll(&wait, 1, 200) == 0) continue;  // nobody has written yet
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    os::check(n, [] { return "read standard input"; });
    if (n == 0) return file;
    size += n;
    if (size > kLargest) throw os::Error(EFBIG, "read a context of more than 8 GiB");
    os::write_all(file.get(), {buffer.data(), static_cast<std::size_t>(n)}, path);
  }
}

/// Unpacks the file, or takes it for a Dockerfile.
FetchedContext open_archive(Session& session, const os::UniqueFd& file, const std::string& name) {
  const auto rewind = [&] {
    os::check(::lseek(file.get(), 0, SEEK_SET), [&] { return "read '" + name + "' again"; });
  };
  FetchedContext context{
      .directory = session.workspace.temporary(), .dockerfile = {}, .time = {}, .has_owners = true};
  rewind();
  const bool archive = is_archive(file.get());
  rewind();
  if (archive) {
    unpack_archive(file.get(), name, context.directory);
  } else {
    os::make_directories(context.directory, 0700);
    context.dockerfile = os::read_all(file.get(), kMaxDockerfile, name);
    if (context.dockerfile->find('\0') != std::string::npos)
      throw os::Error(name + " is neither a tar nor a Dockerfile");
  }
  return context;
}

FetchedContext fetch_git(Session& session, const std::string& text, std::size_t step) {
  GitSource source = *parse_git_source(text, true);
  if (const auto keep = session.options.arguments.find("BUILDKIT_CONTEXT_KEEP_GIT_DIR");
      keep != session.options.arguments.end())
    source.keep_git_directory = keep->second == "1" || keep->second == "true";
  Git git(session.options, session.cancel,
          [&](std::string_view line) { session.progress.line(step, line); });
  const std::string commit = git.resolve(source);
  const CheckedOut files = git.check_out(source, commit, session.workspace.temporary());
  return {.directory = files.directory, .dockerfile = {}, .time = files.time};
}

FetchedContext fetch_url(Session& session, const std::string& text) {
  const DownloadOptions options{.authorization = authorization_for(text, session.options.secrets),
                                .environment = session.options.environment};
  const Download fetched = download(text, session.workspace.temporary(), options, session.cancel);
  return open_archive(session, os::open_file(fetched.path, O_RDONLY), text);
}

FetchedContext fetch(Session& session, const std::string& text, std::size_t step) {
  switch (context_kind(text)) {
    case ContextKind::git:
      return fetch_git(session, text, step);
    case ContextKind::url:
      return fetch_url(session, text);
    case ContextKind::archive:
      if (text == kStandardInput)
        return open_archive(session,
                            set_aside(STDIN_FILENO, session.workspace.temporary(), session.cancel),
                            "standard input");
      return open_archive(session, os::open_file(text, O_RDONLY), text);
    case ContextKind::directory:
      break;
  }
  throw os::Error("the build context '" + text + "' is no directory");
}

}  // namespace

bool is_remote_context(const std::string& text) {
  return is_http_url(text) || parse_git_source(text, true).has_value();
}

ContextKind context_kind(const std::string& text) {
  if (text == kStandardInput) return ContextKind::archive;
  if (std::filesystem::is_directory(text)) return ContextKind::directory;
  if (std::filesystem::is_regular_file(text)) return ContextKind::archive;
  if (parse_git_source(text, true)) return ContextKind::git;
  if (is_http_url(text)) return ContextKind::url;
  return ContextKind::directory;
}

FetchedContext fetch_context(Session& session, const std::string& text) {
  const std::string name = text == kStandardInput ? "standard input" : shown_remote(text);
  const std::size_t step = session.progress.begin("load the build context from " + name);
  try {
    FetchedContext context = fetch(session, text, step);
    session.progress.end(step, Progress::End::done);
    return context;
  } catch (const Canceled&) {
    session.progress.end(step, Progress::End::canceled);
    throw;
  } catch (...) {
    session.progress.end(step, Progress::End::failed);
    throw;
  }
}

}  // namespace build
