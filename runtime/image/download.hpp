// One blob on its way from a registry into the store. What has come stays on disk, so that a pull
// goes on where the last one was cut off; who waits for the same blob waits for the same download.
// While it grows it can be read, so that unpacking need not wait for its end.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <string>

#include "runtime/image/blob_writer.hpp"
#include "runtime/image/layout.hpp"
#include "runtime/image/registry.hpp"

namespace image {

class Download {
 public:
  /// `progress` is told how many bytes there are, from the thread that runs.
  Download(const Layout& layout, Registry& registry, Descriptor blob,
           std::function<void(std::int64_t)> progress = {});
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

  /// Fetches the blob, or finds it there already. Never throws: a failure is the reader's to see.
  void run() noexcept;
  /// Ends a run at its next byte, and all who wait.
  void cancel();

  /// The bytes as they come. It ends only once the digest is right, and throws when it is not to
  /// be had, or os::Error when what was read so far was wrong and another try begins.
  ByteSource source();
  /// How often the blob has begun anew because what had come was wrong.
  int beginnings() const;
  /// Waits for the end; throws what run() failed with.
  void wait();
  /// The complete file, once wait() has returned. It may be the store's blob itself.
  StagedFile file() const;
  /// Whether the blob was in the store all along.
  bool was_there() const { return was_there_; }
  const Descriptor& blob() const { return blob_; }

 private:
  void fetch();
  bool take_whole(const std::string& path);
  void open_part();
  void receive();
  void begin_anew();
  void write(std::string_view data);
  void grow(std::int64_t size);
  std::string part_path() const { return base_ + ".part"; }
  std::string whole_path() const { return base_ + ".whole"; }

  const Layout& layout_;
  Registry& registry_;
  Descriptor blob_;
  std::function<void(std::int64_t)> progress_;
  std::string base_;
  os::UniqueFd fd_;  ///< of the file that is read and written
  Hasher hasher_;
  std::int64_t received_ = 0;
  bool was_there_ = false;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t available_ = 0;
  int generation_ = 0;  ///< counts the beginnings from nothing
  bool ended_ = false;
  bool cancelled_ = false;
  std::exception_ptr failure_;
};

}  // namespace image
