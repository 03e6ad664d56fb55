#include "runtime/image/archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "runtime/image/entry_path.hpp"
#include "runtime/image/tar_stream.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/mount.hpp"

namespace image {

namespace {

/// An image archive holds a few files per layer.
constexpr std::int64_t kMaxFiles = 100'000;
constexpr int kMaxHops = 8;

std::string full_path(const EntryPath& path) {
  return path.parent.empty() ? path.name : path.parent + "/" + path.name;
}

class TarArchive final : public Archive {
 public:
  TarArchive(Transaction& transaction, const ByteSource& source, const Limits& limits)
      : limits_(limits) {
    const Utf8Locale locale;
    Limits outer = limits;
    outer.entries = kMaxFiles;
    TarStream stream(source, outer);
    while (archive_entry* entry = stream.next()) {
      const char* name = archive_entry_pathname(entry);
      if (name == nullptr) throw os::Error("an entry of the archive has no readable name");
      take(transaction, stream, entry, clean_entry_path(name, limits_));
    }
    stream.finish();
  }

  std::optional<StagedFile> stage(const std::string& path) override {
    std::string current = full_path(clean_entry_path(path, limits_));
    for (int hop = 0; hop < kMaxHops; ++hop) {
      if (const auto file = files_.find(current); file != files_.end()) return file->second;
      const auto link = links_.find(current);
      if (link == links_.end()) return std::nullopt;
      current = link->second;
    }
    throw os::Error(ELOOP, "resolve '" + path + "' in the archive");
  }

 private:
  void take(Transaction& transaction, TarStream& stream, archive_entry* entry,
            const EntryPath& path) {
    const std::string name = full_path(path);
    if (const char* target = archive_entry_hardlink(entry)) {
      links_[name] = full_path(clean_entry_path(target, limits_));
    } else if (archive_entry_filetype(entry) == AE_IFLNK) {
      const char* link = archive_entry_symlink(entry);
      if (link == nullptr) return;
      const std::string base = *link == '/' ? "" : path.parent + "/";
      links_[name] = full_path(clean_entry_path(base + link, limits_));
    } else if (archive_entry_filetype(entry) == AE_IFREG) {
      BlobWriter writer(transaction.new_path());
      std::int64_t end = 0;
      while (const auto block = stream.next_block()) {
        if (block->offset != end) throw os::Error("'" + name + "' in the archive is sparse");
        writer.write(block->data);
        end += static_cast<std::int64_t>(block->data.size());
      }
      files_[name] = writer.finish();
      links_.erase(name);
    }
  }

  Limits limits_;
  std::map<std::string, StagedFile> files_;
  std::map<std::string, std::string> links_;
};

class DirectoryArchive final : public Archive {
 public:
  DirectoryArchive(Transaction& transaction, os::UniqueFd directory)
      : transaction_(transaction), directory_(std::move(directory)) {}

  std::optional<StagedFile> stage(const std::string& path) override {
    if (const auto known = files_.find(path); known != files_.end()) return known->second;
    os::UniqueFd fd;
    try {
      fd = os::open_in_root(directory_.get(), path, O_RDONLY | O_NONBLOCK);
    } catch (const os::Error& error) {
      if (error.code() == ENOENT || error.code() == ENOTDIR) return std::nullopt;
      throw;
    }
    struct stat status {};
    os::check(::fstat(fd.get(), &status), [&] { return "look at '" + path + "'"; });
    if (!S_ISREG(status.st_mode)) throw os::Error("'" + path + "' is not a regular file");
    BlobWriter writer(transaction_.new_path());
    const ByteSource source = writer.tee(read_source(fd.get(), path));
    while (!source().empty()) {
    }
    return files_.emplace(path, writer.finish()).first->second;
  }

 private:
  Transaction& transaction_;
  os::UniqueFd directory_;
  std::map<std::string, StagedFile> files_;
};

}  // namespace

std::optional<std::string> Archive::read(const std::string& path) {
  const auto file = stage(path);
  if (!file) return std::nullopt;
  return os::read_file(file->path, kMaxDocument);
}

std::unique_ptr<Archive> open_tar_archive(Transaction& transaction, const ByteSource& source,
                                          const Limits& limits) {
  return std::make_unique<TarArchive>(transaction, source, limits);
}

std::unique_ptr<Archive> open_directory_archive(Transaction& transaction, os::UniqueFd directory) {
  return std::make_unique<DirectoryArchive>(transaction, std::move(directory));
}

}  // namespace image
