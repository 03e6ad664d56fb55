#include "runtime/image/download.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "runtime/image/retry.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace image {

namespace {

constexpr std::size_t kChunk = 256 * 1024;

/// Held by whoever fetches the blob; its file goes with the last holder.
class FetchLock {
 public:
  explicit FetchLock(std::string path)
      : path_(std::move(path)), lock_(os::FileLock::acquire(path_)) {}
  FetchLock(const FetchLock&) = delete;
  FetchLock& operator=(const FetchLock&) = delete;
  ~FetchLock() { ::unlink(path_.c_str()); }

 private:
  std::string path_;
  os::FileLock lock_;
};

/// Feeds `bytes` bytes of the file to the hasher; false when it is shorter.
bool hash_file(int fd, std::int64_t bytes, Hasher& hasher) {
  std::vector<char> buffer(kChunk);
  for (std::int64_t offset = 0; offset < bytes;) {
    const auto wanted = static_cast<std::size_t>(
        std::min<std::int64_t>(bytes - offset, static_cast<std::int64_t>(buffer.size())));
    const ssize_t n = os::check(::pread(fd, buffer.data(), wanted, offset),
                                [] { return "read a download again"; });
    if (n == 0) return false;
    hasher.update({buffer.data(), static_cast<std::size_t>(n)});
    offset += n;
  }
  return true;
}

std::int64_t size_of(int fd) {
  struct stat status {};
  os::check(::fstat(fd, &status), [] { return "look at a download"; });
  return status.st_size;
}

}  // namespace

Download::Download(const Layout& layout, Registry& registry, Descriptor blob,
                   std::function<void(std::int64_t)> progress)
    : layout_(layout),
      registry_(registry),
      blob_(std::move(blob)),
      progress_(std::move(progress)),
      base_(layout.downloads_directory() + "/" + blob_.digest.hex()) {}

void Download::run() noexcept {
  try {
    fetch();
    const std::lock_guard lock(mutex_);
    ended_ = true;
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
    ended_ = true;
  }
  changed_.notify_all();
}

void Download::cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (!failure_) failure_ = std::make_exception_ptr(os::Error("the pull was given up"));
  }
  changed_.notify_all();
}

void Download::fetch() {
  const FetchLock lock(base_ + ".lock");
  const std::string blob = layout_.blob_path(blob_.digest);
  if (os::exists(blob)) {
    fd_ = os::open_file(blob, O_RDONLY);
    was_there_ = true;
    if (size_of(fd_.get()) != blob_.size)
      throw os::Error("blob " + blob_.digest.text() + " has " + std::to_string(size_of(fd_.get())) +
                      " bytes where " + std::to_string(blob_.size) + " are announced");
    return grow(blob_.size);
  }
  if (take_whole(whole_path())) return;
  open_part();
  receive();
  os::check(::rename(part_path().c_str(), whole_path().c_str()),
            [&] { return "rename '" + part_path() + "'"; });
}

/// A blob that another pull has fetched and verified but not put in place. Before a crash it may
/// have been in memory only, so it is looked at again.
bool Download::take_whole(const std::string& path) {
  os::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return false;
  Hasher hasher;
  if (size_of(fd.get()) == blob_.size && hash_file(fd.get(), blob_.size, hasher) &&
      hasher.finish() == blob_.digest) {
    fd_ = std::move(fd);
    grow(blob_.size);
    return true;
  }
  ::unlink(path.c_str());
  return false;
}

void Download::open_part() {
  fd_ = os::open_file(part_path(), O_RDWR | O_CREAT, 0600);
  const std::int64_t size = size_of(fd_.get());
  if (size > blob_.size || !hash_file(fd_.get(), size, hasher_)) return begin_anew();
  received_ = size;
  grow(size);
}

void Download::begin_anew() {
  os::check(::ftruncate(fd_.get(), 0), [&] { return "empty '" + part_path() + "'"; });
  hasher_ = Hasher();
  received_ = 0;
  const std::lock_guard lock(mutex_);
  available_ = 0;
  ++generation_;
}

void Download::write(std::string_view data) {
  if (static_cast<std::int64_t>(data.size()) > blob_.size - received_)
    throw os::Error("the registry sends more than the " + std::to_string(blob_.size) +
                    " bytes that it announced");
  {
    const std::lock_guard lock(mutex_);
    if (cancelled_) throw os::Error("the pull was given up");
  }
  std::string_view left = data;
  while (!left.empty()) {
    const ssize_t n =
        os::check(::pwrite(fd_.get(), left.data(), left.size(),
                           received_ + static_cast<std::int64_t>(data.size() - left.size())),
                  [&] { return "write '" + part_path() + "'"; });
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  hasher_.update(data);
  received_ += static_cast<std::int64_t>(data.size());
  grow(received_);
}

void Download::grow(std::int64_t size) {
  {
    const std::lock_guard lock(mutex_);
    available_ = size;
  }
  changed_.notify_all();
  if (progress_) progress_(size);
}

void Download::receive() {
  bool second = false;
  for (int tried = 1;; ++tried) {
    const std::int64_t before = received_;
    Registry::BlobRead read{.complete = received_ == blob_.size};
    if (!read.complete)
      read = registry_.read_blob(blob_, received_, [this](std::string_view data) { write(data); });
    if (read.complete) {
      if (hasher_.finish() == blob_.digest) return;
      // Once more from nothing: what was there may be what is wrong.
      if (std::exchange(second, true)) {
        ::unlink(part_path().c_str());
        throw os::Error("pull blob " + blob_.digest.text() +
                        ": what the registry sends has another digest");
      }
      begin_anew();
      changed_.notify_all();
      continue;
    }
    if (received_ > before) tried = 1;  // it goes on, however slowly
    if (!read.worth_retrying || tried >= kTries)
      throw os::Error("pull blob " + blob_.digest.text() + ": " + read.failure);
    registry_.pause(tried, std::chrono::duration_cast<std::chrono::seconds>(read.pause));
  }
}

ByteSource Download::source() {
  auto buffer = std::make_shared<std::vector<char>>(kChunk);
  return [this, buffer, offset = std::int64_t{0}, generation = -1]() mutable -> std::string_view {
    for (;;) {
      std::int64_t end = 0;
      {
        std::unique_lock lock(mutex_);
        if (generation < 0) generation = generation_;
        // The last bytes are held back until the digest is known to be right.
        changed_.wait(lock, [&] {
          return ended_ || failure_ || generation_ != generation ||
                 (available_ > offset && available_ < blob_.size);
        });
        if (failure_) std::rethrow_exception(failure_);
        if (generation_ != generation) throw os::Error(ESTALE, "read blob " + blob_.digest.text());
        end = available_;
      }
      if (offset >= end) return {};
      const auto wanted = static_cast<std::size_t>(
          std::min<std::int64_t>(end - offset, static_cast<std::int64_t>(buffer->size())));
      const ssize_t n = os::check(::pread(fd_.get(), buffer->data(), wanted, offset),
                                  [&] { return "read blob " + blob_.digest.text(); });
      if (n == 0) continue;  // emptied meanwhile: another beginning
      offset += n;
      return {buffer->data(), static_cast<std::size_t>(n)};
    }
  };
}

int Download::beginnings() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

void Download::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ended_; });
  if (failure_) std::rethrow_exception(failure_);
}

StagedFile Download::file() const {
  return {was_there_ ? layout_.blob_path(blob_.digest) : whole_path(), blob_.digest, blob_.size};
}

}  // namespace image
