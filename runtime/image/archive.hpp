// The files of an image archive, whatever form it has: a directory, or a tar from a pipe that can
// be read only once. Names are those inside the archive and never reach the file system unchecked.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "runtime/image/blob_writer.hpp"
#include "runtime/image/limits.hpp"
#include "runtime/image/transaction.hpp"
#include "runtime/os/fd.hpp"

namespace image {

class Archive {
 public:
  virtual ~Archive() = default;
  Archive() = default;
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  /// The file at `path` as a file of the transaction's, nothing when there is none. The same path
  /// gives the same file again.
  virtual std::optional<StagedFile> stage(const std::string& path) = 0;
  /// The content of a small file, nothing when there is none.
  std::optional<std::string> read(const std::string& path);
};

/// An archive in a tar stream: its files are set aside one by one as they come.
std::unique_ptr<Archive> open_tar_archive(Transaction& transaction, const ByteSource& source,
                                          const Limits& limits);
/// An archive in a directory; links in it are resolved inside of it.
std::unique_ptr<Archive> open_directory_archive(Transaction& transaction, os::UniqueFd directory);

}  // namespace image
