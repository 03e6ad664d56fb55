// COPY and ADD: what they read, the key of it, and the layer that they make.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "runtime/build/archive_file.hpp"
#include "runtime/build/copy_into.hpp"
#include "runtime/build/download.hpp"
#include "runtime/build/git.hpp"
#include "runtime/build/steps.hpp"
#include "runtime/image/decompressor.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace build {

namespace {

using image::LayerStack;

/// One thing to copy, after downloads.
struct Source {
  Selected selected;
  std::optional<Download> fetched;
  std::optional<GitSource> git;
  std::string commit;  ///< of the repository
  bool unpack = false;
};

class Copy {
 public:
  Copy(Session& session, const CopyStep& step, Root& root, const StepPlace& place)
      : session_(session), step_(step), root_(root), place_(place) {}

  StepOutcome run() {
    excludes_ = Ignore::of(step_.excludes);
    options_.mode = step_.chmod;
    options_.time = session_.options.source_date_epoch;
    if (!step_.chown.empty()) options_.owner = resolve_owner(session_, root_, step_.chown, true);
    find_sources();
    check_destination();
    return cached_or_made(session_, root_, key(), place_,
                          [this](const Staging& staging) { fill(staging); });
  }

 private:
  void find_sources() {
    std::vector<std::string> paths;
    for (const std::string& source : step_.sources) {
      const auto git = step_.is_add ? parse_git_source(source, false) : std::nullopt;
      if (git)
        add_repository(*git);
      else if (step_.is_add && is_http_url(source))
        add_download(source);
      else
        paths.push_back(source);
    }
    if (!step_.checksum.empty() && !paths.empty())
      throw os::Error("--checksum is for URLs and git alone, and '" + paths.front() + "' is none");
    if (paths.empty() && step_.from.empty()) return;
    tree_ = step_.from.empty()
                ? session_.context()
                : session_.tree_of(find_origin(session_.graph.stages, place_.stage->index,
                                               session_.context_names(), step_.from, true));
    for (Selected& each : select_sources(*tree_, paths, step_.parents)) {
      Source source;
      source.selected = std::move(each);
      if (step_.is_add) source.unpack = wants_unpack(source.selected);
      sources_.push_back(std::move(source));
    }
  }

  bool wants_unpack(const Selected& selected) const {
    if (step_.unpack && !*step_.unpack) return false;
    const auto node = tree_->stack.resolve(selected.path);
    if (!node || !S_ISREG(node->status.st_mode)) return false;
    const os::UniqueFd fd =
        os::open_file("/proc/self/fd/" + std::to_string(node->fd.get()), O_RDONLY);
    return is_archive(fd.get());
  }

  Git git() {
    return {session_.options, session_.cancel,
            [this](std::string_view line) { session_.progress.line(place_.progress, line); }};
  }

  /// The commit counts for the key, so nothing is fetched that was copied before.
  void add_repository(GitSource repository) {
    repository.keep_git_directory |= step_.keep_git_directory;
    if (!step_.checksum.empty()) repository.checksum = step_.checksum;
    Source source;
    source.commit = git().resolve(repository);
    source.git = std::move(repository);
    sources_.push_back(std::move(source));
  }

  void add_download(const std::string& url) {
    Source source;
    const DownloadOptions options{.authorization = authorization_for(url, session_.options.secrets),
                                  .environment = session_.options.environment};
    source.fetched = download(url, session_.workspace.temporary(), options, session_.cancel);
    if (!step_.checksum.empty() && source.fetched->digest.text() != step_.checksum)
      throw os::Error("the digest of " + url + " is " + source.fetched->digest.text() +
                      ", and --checksum says " + step_.checksum);
    source.unpack = step_.unpack.value_or(false);
    if (source.fetched->name.empty() && step_.destination.ends_with('/') && !source.unpack)
      throw os::Error("the URL " + url + " has no file name for the directory " +
                      step_.destination);
    sources_.push_back(std::move(source));
  }

  void check_destination() const {
    const std::size_t count = sources_.size() + step_.files.size();
    if (count < 2 || step_.destination.ends_with('/')) return;
    const bool by_wildcard = std::any_of(sources_.begin(), sources_.end(), [](const Source& each) {
      return each.selected.by_wildcard;
    });
    const LayerStack lower(session_.workspace.directories(root_));
    const auto existing = lower.resolve(clean_relative(step_.destination));
    if (existing && existing->is_directory()) return;
    // Directories are merged into one; only files would replace each other.
    std::size_t single = step_.files.size();
    for (const Source& source : sources_) {
      if (source.unpack || source.git) continue;
      const auto node = source.fetched ? std::nullopt : tree_->stack.resolve(source.selected.path);
      if (!node || !node->is_directory()) ++single;
    }
    if (single > 1)
      throw os::Error(std::string(by_wildcard ? "a wildcard leads to several files, and"
                                              : "with several sources") +
                      " the destination must be a directory: end '" + step_.destination +
                      "' in a slash");
  }

  image::Digest key() {
    KeyBuilder key;
    key.add("copy 1").add(root_.chain().hex()).add(step_.destination).add(step_.chmod);
    key.add(options_.owner ? std::to_string(options_.owner->first) + ":" +
                                 std::to_string(options_.owner->second)
                           : "");
    key.add(step_.parents ? 1U : 0U).add(step_.excludes.size());
    for (const std::string& each : step_.excludes) key.add(each);
    if (options_.time) key.add(static_cast<std::uint64_t>(*options_.time));
    for (const InlineFile& file : step_.files) key.add("inline").add(file.name).add(file.content);
    for (const Source& source : sources_) {
      key.add(source.unpack ? "unpack" : "copy");
      if (source.git) {
        key.add("git").add(source.commit).add(source.git->subdirectory);
        key.add(source.git->keep_git_directory ? 1U : 0U).add(source.git->submodules ? 1U : 0U);
      } else if (source.fetched) {
        key.add("url").add(source.fetched->name).add(source.fetched->digest.hex());
        key.add(static_cast<std::uint64_t>(source.fetched->modified.value_or(-1)));
      } else {
        key.add(source.selected.path);
        key.add(tree_->is_context ? "context" : "tree");
        add_content(key, *tree_, source.selected, excludes_, session_.index);
      }
    }
    return key.finish();
  }

  void fill(const Staging& staging) {
    CopyInto into(staging.upper, session_.workspace.directories(root_), options_);
    for (const Source& source : sources_) {
      session_.cancel.check();
      if (source.git)
        copy_repository(into, source);
      else if (source.unpack)
        unpack(into, source);
      else if (source.fetched)
        place_download(into, *source.fetched);
      else
        into.copy(*tree_, source.selected, step_.destination, excludes_);
    }
    for (const InlineFile& file : step_.files)
      into.write(file.name, file.content, step_.destination, 0644, options_.time);
    into.finish();
  }

  void copy_repository(CopyInto& into, const Source& source) {
    const std::string directory =
        git().check_out(*source.git, source.commit, session_.workspace.temporary()).directory;
    const SourceTree tree{
        .stack = LayerStack({directory}), .ignore = {}, .is_context = true, .name = ""};
    into.copy(tree, {.path = "", .kept = ""}, step_.destination, excludes_);
  }

  void place_download(CopyInto& into, const Download& fetched) {
    const std::string directory = session_.workspace.temporary();
    os::make_directories(directory, 0700);
    const std::string name = fetched.name.empty() ? "download" : fetched.name;
    const std::string path = directory + "/" + name;
    os::check(::rename(fetched.path.c_str(), path.c_str()),
              [&] { return "rename '" + path + "'"; });
    os::check(::chmod(path.c_str(), 0600), [&] { return "set the mode of '" + path + "'"; });
    const std::int64_t modified = fetched.modified.value_or(options_.time.value_or(
        std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
    const timespec time{.tv_sec = modified, .tv_nsec = 0};
    const std::array<timespec, 2> times{time, time};
    os::check(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0),
              [&] { return "set the times of '" + path + "'"; });
    const SourceTree tree{
        .stack = LayerStack({directory}), .ignore = {}, .is_context = false, .name = ""};
    into.copy(tree, {.path = name, .kept = ""}, step_.destination, Ignore());
  }

  /// The archive's files keep owners, modes and times; --chown wins over owners.
  void unpack(CopyInto& into, const Source& source) {
    os::UniqueFd fd;
    if (source.fetched) {
      fd = os::open_file(source.fetched->path, O_RDONLY);
    } else {
      const auto node = tree_->stack.resolve(source.selected.path);
      if (!node) throw os::Error("\"/" + source.selected.path + "\": not found");
      fd = os::open_file("/proc/self/fd/" + std::to_string(node->fd.get()), O_RDONLY);
    }
    into.unpack(image::read_source(fd.get(), source.selected.path), step_.destination);
  }

  Session& session_;
  const CopyStep& step_;
  Root& root_;
  const StepPlace& place_;
  CopyOptions options_;
  Ignore excludes_;
  std::shared_ptr<SourceTree> tree_;
  std::vector<Source> sources_;
};

}  // namespace

StepOutcome perform_copy(Session& session, const CopyStep& step, Root& root,
                         const StepPlace& place) {
  return Copy(session, step, root, place).run();
}

}  // namespace build
