#include "manifests/no_effect.hpp"

#include <array>
#include <bitset>

#include "manifests/tree_path.hpp"

namespace manifests {

namespace {

bool always(const Node& value) { return !value.is_null(); }

bool not_default(const Node& value) {
  return value.is_scalar() && !value.text.empty() && value.text != "default";
}

bool is_global(const Node& value) { return value.is_scalar() && value.text == "global"; }

bool is_true(const Node& value) { return value.is_scalar() && value.text == "true"; }

struct Row {
  std::string_view pattern;
  std::string_view attribute;  ///< as people call it
  std::string_view why;
  bool (*applies)(const Node& value);
};

constexpr std::string_view kWindows = "it is for Windows";
constexpr std::string_view kCluster = "it is for a cluster, and this is one machine";

constexpr std::array kRows = {
    Row{"services.*.cpu_count", "cpu_count", kWindows, always},
    Row{"services.*.cpu_percent", "cpu_percent",
        "linux does not support CPU percent. Percent discarded.", always},
    Row{"services.*.credential_spec", "credential_spec", kWindows, always},
    Row{"services.*.isolation", "isolation", kWindows, not_default},
    Row{"services.*.build.isolation", "build.isolation", kWindows, not_default},
    Row{"services.*.pull_refresh_after", "pull_refresh_after", "use `pull_policy: every_…`",
        always},
    Row{"services.*.deploy.mode", "deploy.mode: global",
        "this is one machine, and the service has one container", is_global},
    Row{"services.*.deploy.endpoint_mode", "deploy.endpoint_mode", kCluster, always},
    Row{"services.*.deploy.update_config", "deploy.update_config", kCluster, always},
    Row{"services.*.deploy.rollback_config", "deploy.rollback_config", kCluster, always},
    Row{"services.*.deploy.placement", "deploy.placement", kCluster, always},
    Row{"services.*.deploy.labels", "deploy.labels",
        "it labels a service of a cluster; `labels` is for containers", always},
    Row{"services.*.deploy.resources.reservations.cpus", "deploy.resources.reservations.cpus",
        kCluster, always},
    Row{"services.*.deploy.resources.reservations.generic_resources",
        "deploy.resources.reservations.generic_resources", kCluster, always},
    Row{"services.*.volumes.*.consistency", "volumes.consistency", "it is for Docker Desktop",
        always},
    Row{"networks.*.attachable", "attachable", kCluster, is_true},
    Row{"networks.*.ipam.options", "ipam.options", "the address pool has none", always},
};

class Finder {
 public:
  explicit Finder(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void visit_section(const char* name, const Node& section) {
    const Descent descent(path_, name);
    visit(section);
  }

 private:
  void visit(const Node& node) {
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const Descent descent(path_, index_segment(i));
      look_at(node.items[i], node.items[i].at);
    }
    for (const Entry& entry : node.entries) {
      const Descent descent(path_, entry.key);
      look_at(entry.value, entry.key_at ? entry.key_at : entry.value.at);
    }
  }

  /// No pattern is longer.
  static constexpr std::size_t kDeepest = 6;

  void look_at(const Node& value, const Position& at) {
    for (std::size_t row = 0; row < kRows.size(); ++row) {
      if (said_[row] || !matches(path_, kRows[row].pattern) || !kRows[row].applies(value)) continue;
      said_.set(row);
      diagnostics_
          .warning(at, "`" + std::string(kRows[row].attribute) +
                           "` has no effect: " + std::string(kRows[row].why))
          .path = dotted(path_);
    }
    if (path_.size() < kDeepest && leads_on()) visit(value);
  }

  /// Most attributes of a service have nothing below them that a pattern names.
  bool leads_on() const {
    if (path_.size() != 3 || path_.front() != "services") return true;
    const std::string& key = path_.back();
    return key == "build" || key == "deploy" || key == "volumes";
  }

  Diagnostics& diagnostics_;
  TreePath path_;
  std::bitset<kRows.size()> said_;
};

}  // namespace

void warn_of_no_effect(const Node& model, Diagnostics& diagnostics) {
  Finder finder(diagnostics);
  for (const char* section : {"services", "networks"}) {
    const Node* found = model.find(section);
    if (found == nullptr) continue;
    finder.visit_section(section, *found);
  }
}

}  // namespace manifests
