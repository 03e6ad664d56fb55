// What the command and the supervisor say to each other: one JSON object per line over a Unix
// socket. A connection carries one request; the supervisor answers with events and ends with
// `done`.
//
//   [ stack COMMAND ]                         [ stack supervise PROJECT ]
//   {"op":"up","arguments":{…}}         -->
//                                       <--   {"event":"progress",…}      any number, as things
//                                       happen
//                                       <--   {"event":"warning",…}
//                                       <--   {"event":"error",…}         what failed, and its
//                                       causes
//                                       <--   {"event":"done","exit_code":0}
//   (closes: the operation is cancelled if it still runs)
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace orchestrator::protocol {

using Json = nlohmann::ordered_json;

/// Longest line either side accepts.
inline constexpr std::size_t kMaxLine = 64 * 1024 * 1024;

/// A number of seconds that was not given.
inline constexpr int kUnset = -1;

/// `up`, `create`, `scale`: make the project be what `stack` says.
struct Up {
  Json stack;                     ///< the resolved model as `config --format json` prints it
  std::string working_directory;  ///< the project directory
  std::vector<std::string> config_files;  ///< absolute paths
  std::vector<std::string> services;      ///< named on the command line; empty: all
  std::map<std::string, int> scale;
  bool no_deps = false;
  bool no_start = false;
  bool force_recreate = false;
  bool no_recreate = false;
  bool always_recreate_deps = false;
  bool renew_anon_volumes = false;
  bool remove_orphans = false;
  bool ignore_orphans = false;  ///< do not even name them
  bool wait = false;            ///< until running or healthy
  int wait_timeout = kUnset;    ///< seconds
  int timeout = kUnset;         ///< seconds before SIGKILL; unset: each service's own
  std::string trace;            ///< file for a Chrome trace of the work; empty: none
};

/// `down`: stop and remove containers, then networks.
struct Down {
  Json stack;  ///< null when only the project's name is known
  std::vector<std::string> services;
  bool volumes = false;
  bool remove_orphans = false;
  std::string remove_images;  ///< "local", "all" or empty
  int timeout = kUnset;
};

/// `start`, `stop`, `restart`, `kill`, `pause`, `unpause`, `rm`: on containers that exist.
struct Lifecycle {
  Json stack;  ///< null when only the project's name is known
  std::vector<std::string> services;
  int timeout = kUnset;
  std::string signal;    ///< kill: name or number; empty: SIGKILL
  bool no_deps = false;  ///< restart: leave dependents alone
  bool volumes = false;  ///< rm: anonymous volumes too
  bool stop = false;     ///< rm: stop running ones first
  bool wait = false;     ///< start
  int wait_timeout = kUnset;
};

/// `run`: one container of a service beside it.
struct Run {
  Json stack;
  std::string working_directory;
  std::vector<std::string> config_files;
  std::string service;
  std::vector<std::string> command;  ///< empty: the service's
  bool has_entrypoint = false;
  std::vector<std::string> entrypoint;
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> labels;
  std::vector<std::string> cap_add;
  std::vector<std::string> cap_drop;
  Json volumes = Json::array();  ///< in the long form of the model
  Json ports = Json::array();    ///< in the long form of the model
  std::string user;
  std::string working_dir;
  std::string name;
  bool tty = false;
  bool interactive = false;
  bool remove = false;
  bool no_deps = false;
  bool service_ports = false;
  bool use_aliases = false;
  bool remove_orphans = false;
};

/// Events of the supervisor as they are written on the line.
/// progress: {"kind":"Container","name":"shop-db-1","status":"Started","final":true}
/// warning:  {"message":"…"}
/// error:    {"message":"…","causes":["…"],"container":"shop-db-1","probe_output":"…","log":["…"]}
/// created:  {}                        of `up`: every container is there, none was started yet
/// started:  {"id":"…","short_id":"…","name":"…"}                  of `run`
/// exited:   {"name":"…","exit_code":0}                            of `run`
/// container: an entry of the project's event journal              of `watch`
/// done:     {"exit_code":0}
Json progress(const std::string& kind, const std::string& name, const std::string& status,
              bool final);
Json warning(const std::string& message);
Json done(int exit_code);

void to_json(Json& json, const Up& up);
void from_json(const Json& json, Up& up);
void to_json(Json& json, const Down& down);
void from_json(const Json& json, Down& down);
void to_json(Json& json, const Lifecycle& lifecycle);
void from_json(const Json& json, Lifecycle& lifecycle);
void to_json(Json& json, const Run& run);
void from_json(const Json& json, Run& run);

}  // namespace orchestrator::protocol
