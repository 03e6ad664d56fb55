#include "runtime/image/transaction.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/os/error.hpp"

namespace image {

namespace {

void sync_directory(const std::string& path) {
  const os::UniqueFd fd = os::open_file(path, O_RDONLY | O_DIRECTORY);
  os::check(::fsync(fd.get()), [&] { return "sync '" + path + "'"; });
}

/// Another command that shares the download may have moved the same blob already.
void move_blob(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return;
  if (errno != ENOENT || !os::exists(to))
    throw os::Error(errno, "rename '" + from + "' to '" + to + "'");
}

/// Another command may have put the same layer there meanwhile: then that one stays.
void move_layer(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return;
  if (errno != ENOTEMPTY && errno != EEXIST)
    throw os::Error(errno, "rename '" + from + "' to '" + to + "'");
}

}  // namespace

os::FileLock Transaction::begin(const Layout& layout) {
  // Nobody else at work: whatever is in the temporary directory was left by a crash.
  if (const auto exclusive = layout.try_exclusive()) layout.sweep_temporary();
  return layout.use();
}

Transaction::Transaction(const Layout& layout)
    : layout_(layout), use_(begin(layout)), directory_(layout.temporary_directory(), "") {}

std::string Transaction::new_path() { return directory_.path() + "/" + std::to_string(next_++); }

void Transaction::add_blob(const StagedFile& file) { blobs_.emplace(file.digest, file.path); }

Descriptor Transaction::add_document(std::string_view data, std::string_view media_type) {
  BlobWriter writer(new_path());
  writer.write(data);
  const StagedFile file = writer.finish();
  add_blob(file);
  return {std::string(media_type), file.digest, file.size, std::nullopt, {}};
}

bool Transaction::has_blob(const Digest& digest) const {
  return blobs_.contains(digest) || os::exists(layout_.blob_path(digest));
}

std::string Transaction::blob_path(const Digest& digest) const {
  const auto staged = blobs_.find(digest);
  return staged == blobs_.end() ? layout_.blob_path(digest) : staged->second;
}

bool Transaction::has_layer(const Digest& chain) const {
  return layers_.contains(chain) || os::exists(layout_.layer_path(chain));
}

std::vector<std::string> Transaction::layer_directories(const std::vector<Digest>& chains) const {
  std::vector<std::string> directories;
  for (auto chain = chains.rbegin(); chain != chains.rend(); ++chain) {
    const auto staged = layers_.find(*chain);
    directories.push_back(staged == layers_.end() ? layout_.diff_path(*chain)
                                                  : staged->second + "/diff");
  }
  return directories;
}

LayerSummary Transaction::add_layer(const std::vector<Digest>& below, const ByteSource& source,
                                    const Digest& expected, const Limits& limits) {
  const std::string layer = new_path();
  const std::string diff = layer + "/diff";
  os::make_directories(diff, 0700);
  const os::UniqueFd fd = os::open_file(diff, O_RDONLY | O_DIRECTORY);
  const LayerStack lower(layer_directories(below));
  LayerSummary summary = unpack_layer(fd.get(), lower, source, limits);
  if (!expected.empty() && summary.diff_id != expected)
    throw os::Error("a layer's content has digest " + summary.diff_id.text() +
                    " where the image says " + expected.text());
  const Digest chain = chain_id(below.empty() ? Digest() : below.back(), summary.diff_id);
  if (!has_layer(chain)) layers_.emplace(chain, layer);
  return summary;
}

void Transaction::add_made_layer(const Digest& chain, const std::string& path) {
  if (!has_layer(chain)) layers_.emplace(chain, path);
}

void Transaction::add_image(const Descriptor& manifest, const std::string& name) {
  images_.emplace_back(manifest, name);
}

void Transaction::commit() {
  const os::UniqueFd root = os::open_file(layout_.root(), O_RDONLY | O_DIRECTORY);
  // One sync for all the files that were made, instead of one for each.
  os::check(::syncfs(root.get()), [&] { return "sync '" + layout_.root() + "'"; });
  for (const auto& [digest, path] : blobs_) move_blob(path, layout_.blob_path(digest));
  for (const auto& [chain, path] : layers_) move_layer(path, layout_.layer_path(chain));
  sync_directory(layout_.blob_directory());
  sync_directory(layout_.layers_directory());
  layout_.update_index([&](Index& index) {
    for (const auto& [manifest, name] : images_) put_entry(index, manifest, name);
  });
  blobs_.clear();
  layers_.clear();
  images_.clear();
}

}  // namespace image
