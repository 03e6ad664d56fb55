// One command's additions to the store: everything is made aside, and put in place at once when all
// of it is complete and verified. Thrown away, it leaves nothing.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/image/blob_writer.hpp"
#include "runtime/image/layer.hpp"
#include "runtime/image/layout.hpp"

namespace image {

class Transaction {
 public:
  explicit Transaction(const Layout& layout);

  /// A path for a new file or directory that goes with the transaction.
  std::string new_path();

  /// Adds a complete file as a blob; it is moved, not copied.
  void add_blob(const StagedFile& file);
  /// Adds `data` as a blob and describes it.
  Descriptor add_document(std::string_view data, std::string_view media_type);
  /// Whether the blob is in the store or in this transaction.
  bool has_blob(const Digest& digest) const;
  /// Where its bytes are now.
  std::string blob_path(const Digest& digest) const;

  /// The directories of `chains` (base first), top first, wherever they are now.
  std::vector<std::string> layer_directories(const std::vector<Digest>& chains) const;
  bool has_layer(const Digest& chain) const;
  /// Unpacks `source` above `below` (base first) and adds it. When `expected` is not empty it must
  /// be the layer's diff id. Returns what was unpacked.
  LayerSummary add_layer(const std::vector<Digest>& below, const ByteSource& source,
                         const Digest& expected, const Limits& limits);

  /// Adds a layer whose directory (`path`, from new_path(), with `diff` in it) is complete already.
  void add_made_layer(const Digest& chain, const std::string& path);

  /// Names `manifest` (nameless when `name` is empty) when the transaction is committed.
  void add_image(const Descriptor& manifest, const std::string& name);
  /// Puts blobs, then layers, then names in place; all of it is on disk when this returns. More may
  /// be added, and committed, afterwards.
  void commit();

 private:
  static os::FileLock begin(const Layout& layout);

  const Layout& layout_;
  os::FileLock use_;
  os::TempDir directory_;
  int next_ = 0;
  std::map<Digest, std::string> blobs_;
  std::map<Digest, std::string> layers_;  ///< by chain id
  std::vector<std::pair<Descriptor, std::string>> images_;
};

}  // namespace image
