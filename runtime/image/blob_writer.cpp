#include "runtime/image/blob_writer.hpp"

#include <fcntl.h>

namespace image {

BlobWriter::BlobWriter(std::string path)
    : path_(std::move(path)), fd_(os::open_file(path_, O_WRONLY | O_CREAT | O_EXCL, 0600)) {}

void BlobWriter::write(std::string_view data) {
  os::write_all(fd_.get(), data, path_);
  hasher_.update(data);
  size_ += static_cast<std::int64_t>(data.size());
}

ByteSource BlobWriter::tee(ByteSource source) {
  return [this, source = std::move(source)] {
    const std::string_view data = source();
    write(data);
    return data;
  };
}

StagedFile BlobWriter::finish() {
  fd_.reset();
  return {path_, hasher_.finish(), size_};
}

}  // namespace image
