// The configuration of an image: what a container of it runs by default (OCI image specification,
// config.md; Docker's additions Healthcheck, Shell, OnBuild). Pure: text to struct and back.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/image/digest.hpp"
#include "runtime/image/platform.hpp"
#include "runtime/image/timestamp.hpp"

namespace image {

/// A probe of the container's health. Zero means "not given": the default of whoever runs it.
struct Healthcheck {
  /// {"NONE"}, {"CMD", argument…} or {"CMD-SHELL", text}; empty inherits.
  std::vector<std::string> test;
  std::chrono::nanoseconds interval{0};
  std::chrono::nanoseconds timeout{0};
  std::chrono::nanoseconds start_period{0};
  std::chrono::nanoseconds start_interval{0};
  std::int64_t retries = 0;

  bool operator==(const Healthcheck&) const = default;
};

/// One line of how the image came to be.
struct HistoryEntry {
  std::optional<Timestamp> created;
  std::string created_by;
  std::string author;
  std::string comment;
  bool empty_layer = false;  ///< changed the configuration alone

  bool operator==(const HistoryEntry&) const = default;
};

struct ImageConfig {
  std::optional<Timestamp> created;
  std::string author;
  Platform platform;

  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::vector<std::string> env;  ///< "K=V", in order, each name once
  std::string user;              ///< "", "u", "u:g"; names or numbers
  std::string working_dir;
  std::set<std::string> volumes;        ///< absolute paths
  std::set<std::string> exposed_ports;  ///< "80/tcp"
  std::string stop_signal;
  std::vector<std::string> shell;
  std::vector<std::string> on_build;
  std::map<std::string, std::string> labels;
  std::optional<Healthcheck> healthcheck;
  bool args_escaped = false;  ///< what Docker says of a CMD made by a Dockerfile; no effect

  std::vector<Digest> diff_ids;  ///< of the uncompressed layers, base first
  std::vector<HistoryEntry> history;

  /// Sets `name` to `value` in place, or appends it.
  void set_env(std::string_view name, std::string_view value);

  bool operator==(const ImageConfig&) const = default;
};

/// Reads a configuration document; null counts as absent, unknown properties are ignored. Throws
/// os::Error that names the property that is wrong.
ImageConfig parse_config(std::string_view json);
/// The document, in one deterministic form.
std::string format_config(const ImageConfig& config);

}  // namespace image
