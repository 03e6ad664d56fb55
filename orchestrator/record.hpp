// What is written down about a container. The record is durable: what the container is, and how it
// last ended. The status is volatile: what it is doing in this boot.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/paths.hpp"

namespace orchestrator {

using Json = nlohmann::ordered_json;

/// A volume that a container uses.
struct VolumeUse {
  std::string name;
  std::string target;
  bool anonymous = false;
};

/// How a container last ended.
struct Outcome {
  int exit_code = 0;
  bool oom_killed = false;
  std::string error;  ///< why it could not start; empty otherwise
  std::string started_at;
  std::string finished_at;
};

/// `containers/ID/record.json` below the data directory, written before anything of it is made.
struct ContainerRecord {
  std::string id;  ///< 64 hexadecimal digits
  std::string name;
  std::string project;
  std::string service;
  int number = 0;  ///< of the replica, from 1; 0 for one-offs
  bool oneoff = false;
  bool remove_on_exit = false;  ///< `run --rm`
  std::string image;            ///< as the file names it
  std::string image_id;
  Json model;        ///< the service as `config` prints it, with `run`'s changes
  Json fingerprint;  ///< the part of it whose change recreates the container (C5)
  std::string config_hash;
  std::map<std::string, std::string> labels;
  std::vector<VolumeUse> volumes;
  std::string created_at;
  bool stopped_by_user = false;
  std::optional<Outcome> outcome;

  std::string short_id() const { return id.substr(0, 12); }
};

/// A port of the container as it is published on the host.
struct PublishedPort {
  std::string host_ip;
  int published = 0;
  int target = 0;
  std::string protocol;
};

/// The container's place on one network.
struct NetworkAddress {
  std::string network;
  std::string ipv4;
  std::string ipv6;
  std::string mac;
};

struct ProbeResult {
  std::string started_at;
  std::string finished_at;
  int exit_code = 0;
  std::string output;
};

/// `containers/ID/status.json` below the run directory; gone after a reboot.
struct ContainerStatus {
  std::string state = "created";  ///< created running paused restarting exited
  std::string started_at;
  int restart_count = 0;
  std::string health;  ///< starting healthy unhealthy; empty without health check
  int failing_streak = 0;
  std::vector<ProbeResult> probes;  ///< the last five
  std::vector<PublishedPort> ports;
  std::vector<NetworkAddress> networks;
};

void to_json(Json& json, const ContainerRecord& record);
void from_json(const Json& json, ContainerRecord& record);
void to_json(Json& json, const ContainerStatus& status);
void from_json(const Json& json, ContainerStatus& status);

/// The container's directory appears with its first record in it, or not at all.
void create_record(const Paths& paths, const ContainerRecord& record);
/// Writes the record of a container that has one.
void write_record(const Paths& paths, const ContainerRecord& record);
/// Removes the container's directory: from the first moment on it is no container any more.
void remove_container_directory(const Paths& paths, const ContainerRecord& record);
/// Removes what a crash left of containers of the project that were being made or removed. Only for
/// the one that makes and removes them.
void sweep_containers(const Paths& paths, const std::string& project);
void write_status(const Paths& paths, const std::string& short_id, const ContainerStatus& status);
/// All records, of one project when it is given, sorted by name. A record that cannot be read is
/// skipped and named in `broken`, so that one bad file does not hide the others.
std::vector<ContainerRecord> read_records(const Paths& paths, const std::string& project = {},
                                          std::vector<std::string>* broken = nullptr);
/// Nothing when the container has not run since boot.
std::optional<ContainerStatus> read_status(const Paths& paths, const std::string& short_id);

/// 64 random hexadecimal digits.
std::string make_container_id();
/// Now, as RFC 3339 with nanoseconds in UTC.
std::string timestamp_now();

}  // namespace orchestrator
