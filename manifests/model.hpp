// Files → one merged, interpolated, canonical model with absolute paths: the front half of the
// pipeline, which knows the order of its phases (Compose B).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "manifests/diagnostic.hpp"
#include "manifests/dotenv.hpp"
#include "manifests/extends.hpp"
#include "manifests/include.hpp"
#include "manifests/load.hpp"
#include "manifests/node.hpp"
#include "manifests/paths.hpp"

namespace manifests {

/// What makes a model: the project's own files, or those of one `include`.
struct ModelRequest {
  std::vector<std::string> files;  ///< absolute, or "-"
  std::string directory;           ///< absolute; what relative paths are relative to
  Variables environment;
  std::vector<std::string> including;  ///< the files on the way here, outermost first
};

class ModelLoader {
 public:
  ModelLoader(const LoadOptions& options, Diagnostics& diagnostics)
      : options_(options), diagnostics_(diagnostics) {}

  /// The documents of a file, in order. Throws InvalidManifest when it cannot be read or parsed.
  const std::vector<Node>& documents(const std::string& file);

  /// Throws InvalidManifest when a phase finds errors.
  Node load(const ModelRequest& request);

 private:
  void add_document(Node& model, Node document, const std::string& file,
                    const ModelRequest& request);
  void apply_includes(Node& document, const std::vector<TreePath>& resets,
                      const ModelRequest& request);
  Node load_include(const Include& include, const ModelRequest& request);
  void extend_services(Node& document, const std::vector<TreePath>& resets, const std::string& file,
                       const ModelRequest& request);
  ServiceScope* base_scope(const std::string& path, const Position& at,
                           const ModelRequest& request);
  std::shared_ptr<const Source> read(const std::string& file);
  std::string shown(const std::string& file) const;
  PathBase base_at(const std::string& directory) const;

  const LoadOptions& options_;
  Diagnostics& diagnostics_;
  std::map<std::string, std::vector<Node>> documents_;
  std::map<std::string, std::unique_ptr<ServiceScope>> bases_;
  std::size_t includes_ = 0;
};

}  // namespace manifests
