#include "runtime/image/tree_pack.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "runtime/image/layer_stack.hpp"
#include "runtime/image/tar_stream.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace image {

namespace {

constexpr int kDeepest = 200;

std::string by_descriptor(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

class Packer {
 public:
  explicit Packer(int output) : writer_(::archive_write_new()), entry_(::archive_entry_new()) {
    if (!writer_ || !entry_) throw os::Error(ENOMEM, "start to write a tar archive");
    check(::archive_write_set_format_pax_restricted(writer_.get()));
    check(::archive_write_set_bytes_in_last_block(writer_.get(), 1));
    check(::archive_write_open_fd(writer_.get(), output));
  }

  void add(int object, const std::string& name, int depth) {
    if (depth > kDeepest) throw os::Error(ELOOP, "copy '" + name + "'");
    struct stat status {};
    os::check(::fstat(object, &status), [&] { return "look at '" + name + "'"; });
    if (S_ISSOCK(status.st_mode)) return;
    ::archive_entry_clear(entry_.get());
    ::archive_entry_copy_stat(entry_.get(), &status);
    ::archive_entry_copy_pathname(entry_.get(), name.c_str());
    if (!S_ISREG(status.st_mode)) ::archive_entry_set_size(entry_.get(), 0);
    if (S_ISLNK(status.st_mode))
      ::archive_entry_copy_symlink(entry_.get(), read_link(object, name).c_str());
    os::UniqueFd content;
    if (S_ISREG(status.st_mode)) content = os::open_file(by_descriptor(object), O_RDONLY);
    check(::archive_write_header(writer_.get(), entry_.get()));
    if (content) copy(content.get(), status.st_size, name);
    if (S_ISDIR(status.st_mode)) add_directory(object, name, depth);
  }

  void finish() { check(::archive_write_close(writer_.get())); }

 private:
  struct FreeWriter {
    void operator()(archive* writer) const noexcept { ::archive_write_free(writer); }
  };
  struct FreeEntry {
    void operator()(archive_entry* entry) const noexcept { ::archive_entry_free(entry); }
  };

  void check(int result) {
    if (result == ARCHIVE_OK || result == ARCHIVE_WARN) return;
    const char* reason = ::archive_error_string(writer_.get());
    throw os::Error(::archive_errno(writer_.get()),
                    std::string("write a tar archive (") + (reason ? reason : "failed") + ")");
  }

  void add_directory(int object, const std::string& name, int depth) {
    const os::UniqueFd directory = os::open_file(by_descriptor(object), O_RDONLY | O_DIRECTORY);
    for (const std::string& child : os::list_directory(by_descriptor(directory.get()))) {
      const int fd = ::openat(directory.get(), child.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
      if (fd < 0 && errno == ENOENT) continue;  // it was removed meanwhile
      const os::UniqueFd opened(os::check(fd, [&] { return "open '" + name + "/" + child + "'"; }));
      add(opened.get(), name + "/" + child, depth + 1);
    }
  }

  void copy(int content, std::int64_t left, const std::string& name) {
    while (left > 0) {
      const std::size_t wanted = std::min(buffer_.size(), static_cast<std::size_t>(left));
      ssize_t size = ::read(content, buffer_.data(), wanted);
      if (size < 0 && errno == EINTR) continue;
      os::check(size, [&] { return "read '" + name + "'"; });
      if (size == 0) {  // it was cut meanwhile
        std::fill(buffer_.begin(), buffer_.end(), '\0');
        size = static_cast<ssize_t>(wanted);
      }
      if (::archive_write_data(writer_.get(), buffer_.data(), static_cast<std::size_t>(size)) < 0)
        check(ARCHIVE_FATAL);
      left -= size;
    }
  }

  std::unique_ptr<archive, FreeWriter> writer_;
  std::unique_ptr<archive_entry, FreeEntry> entry_;
  std::array<char, 65536> buffer_{};
};

}  // namespace

void pack_tree(int object, const std::string& name, int output) {
  const Utf8Locale names;
  Packer packer(output);
  packer.add(object, name, 0);
  packer.finish();
}

}  // namespace image
