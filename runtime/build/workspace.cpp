#include "runtime/build/workspace.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/image/blob_writer.hpp"
#include "runtime/image/copy.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace build {

namespace {

/// OCI's name for what Docker calls by its own; others stay.
std::string oci_layer_type(const std::string& type) {
  const std::string docker = "application/vnd.docker.image.rootfs.diff.tar";
  if (!type.starts_with(docker)) return type;
  const std::string compression = type.substr(docker.size());
  return std::string(image::media_type::kLayer) +
         (compression.empty() ? "" : "+" + compression.substr(1));
}

/// An archive of the layer does not hold the root, so its time stays that of the layers below.
void keep_root_time(const std::string& upper, const std::vector<std::string>& lower) {
  if (lower.empty()) return;
  const os::UniqueFd from = os::open_file(lower.front(), O_RDONLY | O_DIRECTORY);
  const os::UniqueFd to = os::open_file(upper, O_RDONLY | O_DIRECTORY);
  struct stat status {};
  os::check(::fstat(from.get(), &status), [&] { return "look at '" + lower.front() + "'"; });
  image::copy_times(status, to.get(), upper);
}

/// Whether the store has exactly this image under all these names.
bool is_there(const image::Store& store, const image::Digest& manifest,
              const std::vector<std::string>& names) {
  if (names.empty()) return store.find(manifest.text()).has_value();
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    const auto image = store.find(name);
    return image && image->manifest == manifest;
  });
}

}  // namespace

image::Digest Root::chain() const {
  return diff_ids.empty() ? image::Digest() : image::chain_ids(diff_ids).back();
}

Workspace::Workspace(image::Store& store)
    : store_(store), layout_(store.root()), transaction_(layout_) {}

Root Workspace::root_of(const image::Image& image) const {
  Root root{.diff_ids = image.diff_ids, .blobs = layout_.manifest_of(image.manifest).layers};
  if (root.blobs.size() != root.diff_ids.size())
    throw os::Error("image " + image.id.short_id() + " has " + std::to_string(root.blobs.size()) +
                    " layers where its configuration says " + std::to_string(root.diff_ids.size()));
  for (image::Descriptor& blob : root.blobs) blob.media_type = oci_layer_type(blob.media_type);
  return root;
}

std::vector<std::string> Workspace::directories(const Root& root) {
  const std::lock_guard lock(mutex_);
  return transaction_.layer_directories(image::chain_ids(root.diff_ids));
}

std::string Workspace::temporary() {
  const std::lock_guard lock(mutex_);
  return transaction_.new_path();
}

Staging Workspace::stage(const Root& below) {
  Staging staging;
  staging.layer = temporary();
  staging.upper = staging.layer + "/diff";
  staging.work = temporary();
  os::make_directories(staging.upper, 0700);
  os::make_directories(staging.work, 0700);
  struct stat status {};
  status.st_mode = 0755;
  if (const auto lower = directories(below); !lower.empty())
    os::check(::stat(lower.front().c_str(), &status),
              [&] { return "look at '" + lower.front() + "'"; });
  os::check(::chown(staging.upper.c_str(), status.st_uid, status.st_gid),
            [&] { return "set the owner of '" + staging.upper + "'"; });
  os::check(::chmod(staging.upper.c_str(), status.st_mode & 07777),
            [&] { return "set the mode of '" + staging.upper + "'"; });
  return staging;
}

std::optional<image::CacheRecord> Workspace::find(const image::Digest& key, const Root& below) {
  auto record = find_here(key, below);
  if (!record) record = find_shared(key, below);
  if (!record) return std::nullopt;
  const std::lock_guard lock(mutex_);
  used_[key] = *record;
  return record;
}

std::optional<image::CacheRecord> Workspace::find_here(const image::Digest& key,
                                                       const Root& below) {
  const std::lock_guard lock(mutex_);
  const auto mine = made_.find(key);
  auto record = mine != made_.end()
                    ? mine->second
                    : image::read_cache_record(image::cache_directory(layout_), key);
  if (!record || !is_whole(*record, below)) return std::nullopt;
  image::touch_cache_record(image::cache_directory(layout_), key);
  return record;
}

/// A sweep may have taken the layer while nobody used it.
bool Workspace::is_whole(const image::CacheRecord& record, const Root& below) const {
  return image::chain_id(below.chain(), record.diff_id) == record.chain &&
         transaction_.has_layer(record.chain) && transaction_.has_blob(record.blob.digest);
}

/// What is wrong with a shared cache only means that the step runs.
std::optional<image::CacheRecord> Workspace::find_shared(const image::Digest& key,
                                                         const Root& below) {
  for (const auto& cache : shared_) {
    const auto record = cache->find(key);
    if (!record || image::chain_id(below.chain(), record->diff_id) != record->chain) continue;
    if (record->blob.media_type != image::media_type::kLayer) continue;
    try {
      if (!take(*cache, *record, below)) continue;
    } catch (const os::Error&) {
      continue;
    }
    const std::lock_guard lock(mutex_);
    made_[key] = *record;
    return record;
  }
  return std::nullopt;
}

bool Workspace::take(SharedCache& cache, const image::CacheRecord& record, const Root& below) {
  const image::StagedFile file = cache.fetch(record.blob, temporary());  // may take its time
  if (file.digest != record.blob.digest || file.size != record.blob.size) return false;
  const os::UniqueFd fd = os::open_file(file.path, O_RDONLY);
  const std::lock_guard lock(mutex_);
  if (!transaction_.has_layer(record.chain))
    transaction_.add_layer(image::chain_ids(below.diff_ids),
                           image::read_source(fd.get(), "a shared layer"), record.diff_id, {});
  transaction_.add_blob(file);
  return true;
}

os::UniqueFd Workspace::open_shared_mount(const std::string& key) {
  for (const auto& cache : shared_) {
    try {
      if (os::UniqueFd fd = cache->open_mount(key, temporary())) return fd;
    } catch (const os::Error&) {
      // It begins empty, as a cache may.
    }
  }
  return {};
}

std::map<image::Digest, image::CacheRecord> Workspace::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

void Workspace::append(Root& root, const image::CacheRecord& record) {
  root.diff_ids.push_back(record.diff_id);
  root.blobs.push_back(record.blob);
}

image::CacheRecord Workspace::finish(const Staging& staging, Root& root, const image::Digest& key,
                                     LatestTime latest, image::Timestamp created) {
  image::BlobWriter blob(temporary());
  {
    const image::LayerStack lower(directories(root));
    // The root's own time changed with every entry; nobody shall see when.
    std::string buffer;
    write_layer_tar(staging.upper, lower, latest, [&](std::string_view data) {
      buffer += data;
      if (buffer.size() < 256 * 1024) return;
      blob.write(buffer);
      buffer.clear();
    });
    blob.write(buffer);
  }
  const image::StagedFile file = blob.finish();
  os::remove_tree(staging.work);
  keep_root_time(staging.upper, directories(root));
  image::CacheRecord record{
      .blob = {std::string(image::media_type::kLayer), file.digest, file.size, std::nullopt, {}},
      .diff_id = file.digest,
      .chain = image::chain_id(root.chain(), file.digest),
      .created = created};
  const std::lock_guard lock(mutex_);
  transaction_.add_blob(file);
  transaction_.add_made_layer(record.chain, staging.layer);
  made_[key] = record;
  used_[key] = record;
  append(root, record);
  return record;
}

Workspace::KeyLock::KeyLock(Workspace& workspace, image::Digest key)
    : workspace_(workspace), key_(std::move(key)) {
  std::unique_lock lock(workspace_.mutex_);
  workspace_.freed_.wait(lock, [&] { return !workspace_.busy_.contains(key_); });
  workspace_.busy_.insert(key_);
}

Workspace::KeyLock::~KeyLock() {
  {
    const std::lock_guard lock(workspace_.mutex_);
    workspace_.busy_.erase(key_);
  }
  workspace_.freed_.notify_all();
}

image::Descriptor Workspace::add_image(const Root& root, image::ImageConfig config,
                                       const std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  config.diff_ids = root.diff_ids;
  const std::string document = image::format_config(config);
  image::Manifest manifest;
  manifest.layers = root.blobs;
  manifest.config = {std::string(image::media_type::kConfig),
                     image::Digest::of(document),
                     static_cast<std::int64_t>(document.size()),
                     std::nullopt,
                     {}};
  const std::string text = image::format_manifest(manifest);
  image::Descriptor entry{std::string(image::media_type::kManifest),
                          image::Digest::of(text),
                          static_cast<std::int64_t>(text.size()),
                          config.platform,
                          {}};
  if (is_there(store_, entry.digest, names)) return entry;
  changed_ = true;
  transaction_.add_document(document, image::media_type::kConfig);
  transaction_.add_document(text, image::media_type::kManifest);
  if (names.empty()) transaction_.add_image(entry, "");
  for (const std::string& name : names)
    transaction_.add_image(entry, image::Reference::parse(name).text());
  return entry;
}

void Workspace::commit() {
  const std::lock_guard lock(mutex_);
  if (!changed_ && made_.empty()) return;  // a sync is what costs
  transaction_.commit();
  for (const auto& [key, record] : made_)
    image::write_cache_record(image::cache_directory(layout_), key, record);
  made_.clear();
  changed_ = false;
}

}  // namespace build
