// How a service is built, deployed and developed (Compose Specification: build, deploy, develop).
#pragma once

#include "manifests/attributes.hpp"

namespace manifests {

// ---------------------------------------------------------------- deploy

struct UpdateConfig {
  std::optional<std::uint64_t> parallelism;
  Duration delay{};
  std::string failure_action;
  Duration monitor{};
  double max_failure_ratio = 0;
  std::string order;
  Extensions extensions;
};

struct DeployRestartPolicy {
  std::string condition;
  std::optional<Duration> delay;
  std::optional<std::uint64_t> max_attempts;
  std::optional<Duration> window;
  Extensions extensions;
};

struct PlacementPreference {
  std::string spread;
  Extensions extensions;
};

struct Placement {
  Strings constraints;
  std::vector<PlacementPreference> preferences;
  std::uint64_t max_replicas_per_node = 0;
  Extensions extensions;
};

struct Deploy {
  std::string mode;
  std::optional<std::int64_t> replicas;
  Labels labels;
  std::optional<UpdateConfig> update_config;
  std::optional<UpdateConfig> rollback_config;
  Resources resources;
  std::optional<DeployRestartPolicy> restart_policy;
  Placement placement;
  std::string endpoint_mode;
  Extensions extensions;
};

// ---------------------------------------------------------------- build, develop, the rest

struct SshKey {
  std::string id;
  std::string path;  ///< empty = the agent
};

struct Build {
  std::string context;
  std::string dockerfile;
  std::string dockerfile_inline;
  Strings entitlements;
  Environment args;
  std::string provenance;
  std::string sbom;
  std::vector<SshKey> ssh;
  Labels labels;
  Strings cache_from;
  Strings cache_to;
  bool no_cache = false;
  Strings no_cache_filter;
  Options additional_contexts;
  bool pull = false;
  std::map<std::string, Strings> extra_hosts;
  std::string isolation;
  std::string network;
  std::string target;
  std::vector<FileMount> secrets;
  Bytes shm_size;
  Strings tags;
  std::map<std::string, Ulimit> ulimits;
  Strings platforms;
  bool privileged = false;
  Extensions extensions;
};

enum class WatchAction { sync, rebuild, restart, sync_restart, sync_exec };

struct WatchRule {
  std::string path;
  WatchAction action = WatchAction::sync;
  std::string target;
  Hook exec;
  Strings include;
  Strings ignore;
  bool initial_sync = false;
  Extensions extensions;
};

struct Develop {
  std::vector<WatchRule> watch;
  Extensions extensions;
};

struct Logging {
  std::string driver;
  Options options;
  Extensions extensions;
};

struct CredentialSpec {
  std::string config;
  std::string file;
  std::string registry;
  Extensions extensions;
};

struct Provider {
  std::string type;
  std::map<std::string, Strings> options;
  Extensions extensions;
};

struct ModelUse {
  std::string endpoint_var;
  std::string model_var;
  bool written = false;  ///< given as a map, however empty; null otherwise
  Extensions extensions;
};

}  // namespace manifests
