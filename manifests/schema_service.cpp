// The table of a service's attributes. Order within a map is that of the specification's JSON
// schema.
#include "manifests/schema_rules.hpp"

namespace manifests::rules {

namespace {

// ---------------------------------------------------------------- parts of a service

const Rule file_mount_item{.forms = form::string | form::map,
                           .keys = {{"source", &text},
                                    {"target", &text},
                                    {"uid", &text},
                                    {"gid", &text},
                                    {"mode", &file_mode}}};
const Rule file_mounts{.forms = form::list, .item = &file_mount_item};

const Rule ulimit{.forms = form::integer | form::string | form::map,
                  .reads = Reads::integer,
                  .keys = {{"hard", &integer}, {"soft", &integer}},
                  .required = {"soft", "hard"}};
const Rule ulimits{.forms = form::map, .value = &ulimit, .names = &kLowerWord};

const Rule build{.forms = form::string | form::map,
                 .keys = {{"context", &text},
                          {"dockerfile", &text},
                          {"dockerfile_inline", &text},
                          {"entitlements", &texts},
                          {"args", &dictionary},
                          {"ssh", &dictionary},
                          {"labels", &dictionary},
                          {"cache_from", &texts},
                          {"cache_to", &texts},
                          {"no_cache", &flag},
                          {"no_cache_filter", &text_or_texts},
                          {"additional_contexts", &dictionary},
                          {"network", &text},
                          {"provenance", &text_or_boolean},
                          {"sbom", &text_or_boolean},
                          {"pull", &flag},
                          {"target", &text},
                          {"shm_size", &bytes},
                          {"extra_hosts", &extra_hosts},
                          {"isolation", &text},
                          {"privileged", &flag},
                          {"secrets", &file_mounts},
                          {"tags", &texts},
                          {"ulimits", &ulimits},
                          {"platforms", &texts}}};

const Rule hook{.forms = form::map,
                .keys = {{"command", &command},
                         {"user", &text},
                         {"privileged", &flag},
                         {"working_dir", &text},
                         {"environment", &dictionary}},
                .required = {"command"}};
const Rule hooks{.forms = form::list, .item = &hook};
const Rule pre_start_hook{.forms = form::map,
                          .keys = {{"command", &command},
                                   {"image", &text},
                                   {"user", &text},
                                   {"privileged", &flag},
                                   {"per_replica", &flag},
                                   {"working_dir", &text},
                                   {"environment", &dictionary}}};
const Rule pre_start{.forms = form::list, .item = &pre_start_hook};

const Rule watch_action{.forms = form::string,
                        .words = {"rebuild", "sync", "restart", "sync+restart", "sync+exec"}};
const Rule watch_rule{.forms = form::map,
                      .keys = {{"ignore", &text_or_texts},
                               {"include", &text_or_texts},
                               {"path", &text},
                               {"action", &watch_action},
                               {"target", &text},
                               {"exec", &hook},
                               {"initial_sync", &strict_flag}},
                      .required = {"path", "action"}};
const Rule watch{.forms = form::list, .item = &watch_rule};
const Rule develop{.forms = form::map | form::null, .keys = {{"watch", &watch}}};

const Rule blkio_limit_item{
    .forms = form::map, .keys = {{"path", &text}, {"rate", &bytes}}, .extensible = false};
const Rule blkio_limits{.forms = form::list, .item = &blkio_limit_item};
const Rule blkio_weight_item{
    .forms = form::map, .keys = {{"path", &text}, {"weight", &integer}}, .extensible = false};
const Rule blkio_weights{.forms = form::list, .item = &blkio_weight_item};
const Rule blkio{.forms = form::map,
                 .keys = {{"device_read_bps", &blkio_limits},
                          {"device_read_iops", &blkio_limits},
                          {"device_write_bps", &blkio_limits},
                          {"device_write_iops", &blkio_limits},
                          {"weight", &integer},
                          {"weight_device", &blkio_weights}},
                 .extensible = false};

const Rule credential_spec{.forms = form::map,
                           .keys = {{"config", &text}, {"file", &text}, {"registry", &text}}};

const Rule condition{
    .forms = form::string,
    .words = {"service_started", "service_healthy", "service_completed_successfully"}};
const Rule dependency{
    .forms = form::map,
    .keys = {{"restart", &flag}, {"required", &strict_flag}, {"condition", &condition}},
    .required = {"condition"}};
const Rule depends_on{.forms = form::list | form::map,
                      .item = &text,
                      .unique = true,
                      .value = &dependency,
                      .names = &kName,
                      .extensible = false};

const Rule device{.forms = form::string | form::map,
                  .keys = {{"source", &text}, {"target", &text}, {"permissions", &text}},
                  .required = {"source"}};
const Rule devices{.forms = form::list, .item = &device};

const Rule env_file_item{.forms = form::string | form::map,
                         .keys = {{"path", &text}, {"format", &text}, {"required", &flag}},
                         .extensible = false,
                         .required = {"path"}};
const Rule env_file{.forms = form::string | form::list, .item = &env_file_item};

const Rule extends{.forms = form::string | form::map,
                   .keys = {{"service", &text}, {"file", &text}},
                   .extensible = false,
                   .required = {"service"}};

const Rule provider{.forms = form::map,
                    .keys = {{"type", &text}, {"options", &provider_options}},
                    .required = {"type"}};

const Rule device_request{.forms = form::map,
                          .keys = {{"capabilities", &unique_texts},
                                   {"count", &text_or_integer},
                                   {"device_ids", &unique_texts},
                                   {"driver", &text},
                                   {"options", &dictionary}},
                          .required = {"capabilities"}};
const Rule device_requests{.forms = form::list, .item = &device_request};
const Rule gpu_request{.forms = form::map,
                       .keys = {{"capabilities", &unique_texts},
                                {"count", &text_or_integer},
                                {"device_ids", &unique_texts},
                                {"driver", &text},
                                {"options", &dictionary}},
                       .open = true};
const Rule gpus{.forms = form::string | form::list, .item = &gpu_request, .words = {"all"}};

const Rule healthcheck_test{.forms = form::string | form::list, .item = &text};
const Rule healthcheck{.forms = form::map,
                       .keys = {{"disable", &flag},
                                {"interval", &duration},
                                {"retries", &count},
                                {"test", &healthcheck_test},
                                {"timeout", &duration},
                                {"start_period", &duration},
                                {"start_interval", &duration}}};

const Rule logging{.forms = form::map, .keys = {{"driver", &text}, {"options", &logging_options}}};

const Rule model_use{.forms = form::map | form::null,
                     .keys = {{"endpoint_var", &text}, {"model_var", &text}}};
const Rule model_uses{.forms = form::list | form::map,
                      .item = &text,
                      .unique = true,
                      .value = &model_use,
                      .names = &kName};

const Rule attachment{.forms = form::map | form::null,
                      .keys = {{"aliases", &texts},
                               {"interface_name", &text},
                               {"ipv4_address", &text},
                               {"ipv6_address", &text},
                               {"link_local_ips", &texts},
                               {"mac_address", &text},
                               {"driver_opts", &options},
                               {"priority", &priority},
                               {"gw_priority", &priority}}};
const Rule attachments{.forms = form::list | form::map,
                       .item = &text,
                       .unique = true,
                       .value = &attachment,
                       .names = &kName,
                       .extensible = false};

const Rule port{.forms = form::number | form::string | form::map,
                .keys = {{"name", &text},
                         {"mode", &text},
                         {"host_ip", &text},
                         {"target", &integer},
                         {"published", &text_or_integer},
                         {"protocol", &text},
                         {"app_protocol", &text}}};
const Rule ports{.forms = form::list, .item = &port};

const Rule mount_type{.forms = form::string,
                      .words = {"bind", "volume", "tmpfs", "cluster", "npipe", "image"}};
const Rule recursive{.forms = form::string,
                     .words = {"enabled", "disabled", "writable", "readonly"}};
const Rule selinux{.forms = form::string, .words = {"z", "Z"}};
const Rule bind{.forms = form::map,
                .keys = {{"propagation", &text},
                         {"create_host_path", &flag},
                         {"recursive", &recursive},
                         {"selinux", &selinux}}};
const Rule volume_options{.forms = form::map,
                          .keys = {{"labels", &dictionary}, {"nocopy", &flag}, {"subpath", &text}}};
const Rule tmpfs{.forms = form::map, .keys = {{"size", &tmpfs_size}, {"mode", &text_or_number}}};
const Rule image_options{.forms = form::map, .keys = {{"subpath", &text}}};
const Rule mount{.forms = form::string | form::map,
                 .keys = {{"type", &mount_type},
                          {"source", &text},
                          {"target", &text},
                          {"read_only", &flag},
                          {"consistency", &text},
                          {"bind", &bind},
                          {"volume", &volume_options},
                          {"tmpfs", &tmpfs},
                          {"image", &image_options}},
                 .required = {"type"}};
const Rule mounts{.forms = form::list, .item = &mount};

const Rule container_name{.forms = form::string, .pattern = &kContainerName};
const Rule pull_policy{.forms = form::string, .pattern = &kPullPolicy};
const Rule cgroup{.forms = form::string, .words = {"host", "private"}};

// ---------------------------------------------------------------- deploy

const Rule update_order{.forms = form::string, .words = {"start-first", "stop-first"}};
const Rule update_config{.forms = form::map,
                         .keys = {{"parallelism", &integer},
                                  {"delay", &duration},
                                  {"failure_action", &text},
                                  {"monitor", &duration},
                                  {"max_failure_ratio", &number},
                                  {"order", &update_order}}};
const Rule discrete_resource{.forms = form::map, .keys = {{"kind", &text}, {"value", &count}}};
const Rule generic_resource{.forms = form::map,
                            .keys = {{"discrete_resource_spec", &discrete_resource}}};
const Rule generic_resources{.forms = form::list, .item = &generic_resource};
const Rule limits{.forms = form::map,
                  .keys = {{"cpus", &number}, {"memory", &bytes_text}, {"pids", &integer}}};
const Rule reservations{.forms = form::map,
                        .keys = {{"cpus", &number},
                                 {"memory", &bytes_text},
                                 {"generic_resources", &generic_resources},
                                 {"devices", &device_requests}}};
const Rule resources{.forms = form::map,
                     .keys = {{"limits", &limits}, {"reservations", &reservations}}};
const Rule restart_policy{.forms = form::map,
                          .keys = {{"condition", &text},
                                   {"delay", &duration},
                                   {"max_attempts", &integer},
                                   {"window", &duration}}};
const Rule preference{.forms = form::map, .keys = {{"spread", &text}}};
const Rule preferences{.forms = form::list, .item = &preference};
const Rule placement{.forms = form::map,
                     .keys = {{"constraints", &texts},
                              {"preferences", &preferences},
                              {"max_replicas_per_node", &integer}}};
const Rule deploy{.forms = form::map | form::null,
                  .keys = {{"mode", &text},
                           {"endpoint_mode", &text},
                           {"replicas", &integer},
                           {"labels", &dictionary},
                           {"rollback_config", &update_config},
                           {"update_config", &update_config},
                           {"resources", &resources},
                           {"restart_policy", &restart_policy},
                           {"placement", &placement}}};

// ---------------------------------------------------------------- service

const Rule any_map{.forms = form::map, .open = true};

}  // namespace

const Rule service{.forms = form::map,
                   .keys = {{"develop", &develop},
                            {"deploy", &deploy},
                            {"annotations", &dictionary},
                            {"attach", &flag},
                            {"build", &build},
                            {"blkio_config", &blkio},
                            {"cap_add", &texts},
                            {"cap_drop", &texts},
                            {"cgroup", &cgroup},
                            {"cgroup_parent", &text},
                            {"command", &command},
                            {"configs", &file_mounts},
                            {"container_name", &container_name},
                            {"cpu_count", &non_negative},
                            {"cpu_percent", &percent},
                            {"cpu_shares", &count},
                            {"cpu_quota", &count},
                            {"cpu_period", &count},
                            {"cpu_rt_period", &microseconds},
                            {"cpu_rt_runtime", &microseconds},
                            {"cpus", &number},
                            {"cpuset", &text},
                            {"credential_spec", &credential_spec},
                            {"depends_on", &depends_on},
                            {"device_cgroup_rules", &unique_texts},
                            {"devices", &devices},
                            {"dns", &text_or_texts},
                            {"dns_opt", &texts},
                            {"dns_search", &text_or_texts},
                            {"domainname", &text},
                            {"entrypoint", &command},
                            {"env_file", &env_file},
                            {"label_file", &text_or_texts},
                            {"environment", &dictionary},
                            {"expose", &texts_or_numbers},
                            {"extends", &extends},
                            {"provider", &provider},
                            {"external_links", &unique_texts},
                            {"extra_hosts", &extra_hosts},
                            {"gpus", &gpus},
                            {"group_add", &unique_texts_or_numbers},
                            {"healthcheck", &healthcheck},
                            {"hostname", &text},
                            {"image", &text},
                            {"init", &flag},
                            {"ipc", &text},
                            {"isolation", &text},
                            {"labels", &dictionary},
                            {"links", &texts},
                            {"logging", &logging},
                            {"mac_address", &text},
                            {"mem_limit", &bytes},
                            {"mem_reservation", &bytes},
                            {"mem_swappiness", &bytes},
                            {"memswap_limit", &bytes},
                            {"network_mode", &text},
                            {"models", &model_uses},
                            {"networks", &attachments},
                            {"oom_kill_disable", &flag},
                            {"oom_score_adj", &oom_score},
                            {"pid", &text_or_null},
                            {"pids_limit", &count},
                            {"platform", &text},
                            {"ports", &ports},
                            {"pre_start", &pre_start},
                            {"post_start", &hooks},
                            {"pre_stop", &hooks},
                            {"privileged", &flag},
                            {"profiles", &texts},
                            {"pull_policy", &pull_policy},
                            {"pull_refresh_after", &text},
                            {"read_only", &flag},
                            {"restart", &text},
                            {"runtime", &text},
                            {"scale", &integer},
                            {"security_opt", &unique_texts},
                            {"shm_size", &bytes},
                            {"secrets", &file_mounts},
                            {"sysctls", &dictionary},
                            {"stdin_open", &flag},
                            {"stop_grace_period", &duration},
                            {"stop_signal", &text},
                            {"storage_opt", &any_map},
                            {"tmpfs", &text_or_texts},
                            {"tty", &flag},
                            {"ulimits", &ulimits},
                            {"use_api_socket", &strict_flag},
                            {"user", &text},
                            {"uts", &text},
                            {"userns_mode", &text},
                            {"volumes", &mounts},
                            {"volumes_from", &unique_texts},
                            {"working_dir", &text}}};

}  // namespace manifests::rules
