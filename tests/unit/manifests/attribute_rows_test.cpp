// Every attribute of the Compose reference, a row each, in the forms it may be written in: what
// stands in the file, and what the model says of it. A row is called by its place in the reference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "manifests/load.hpp"
#include "manifests/print.hpp"
#include "manifests/schema.hpp"

namespace manifests {
namespace {

struct Row {
  const char* id;
  const char* written;  ///< lines below a service; of a top-level row, lines of the file
  const char* path;     ///< JSON pointer into the service, or into the model
  const char* read;     ///< JSON
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.id; }

std::string indented(const std::string& lines) {
  std::string text = "    ";
  for (const char c : lines) {
    text += c;
    if (c == '\n') text += "    ";
  }
  return text + "\n";
}

Json model_of(const std::string& text) {
  LoadOptions options{.files = {"compose.yaml"},
                      .project_name = "p",
                      .environment = {{"HOME", "/root"}, {"SET", "value"}},
                      .working_directory = "/nowhere",
                      .texts = {{"/nowhere/compose.yaml", text}}};
  return to_json(load(options).stack);
}

// ---------------------------------------------------------------- A2: attributes of services

constexpr Row kService[] = {
    {"A2.annotations", "annotations: {a: b}", "/annotations/a", R"("b")"},
    {"A2.annotations list", "annotations: [a=b]", "/annotations/a", R"("b")"},
    {"A2.attach", "attach: false", "/attach", "false"},
    {"A2.blkio_config",
     "blkio_config: {weight: 300, weight_device: [{path: /dev/sda, weight: 400}]}",
     "/blkio_config/weight_device/0/Weight", "400"},
    {"A13.device_read_bps", "blkio_config: {device_read_bps: [{path: /dev/sda, rate: 12mb}]}",
     "/blkio_config/device_read_bps/0/Rate", R"("12582912")"},
    {"A13.device_write_iops", "blkio_config: {device_write_iops: [{path: /dev/sda, rate: 30}]}",
     "/blkio_config/device_write_iops/0/Rate", R"("30")"},
    {"A2.build", "build: ./dir", "/build",
     R"({"context": "/nowhere/dir", "dockerfile": "Dockerfile"})"},
    {"A2.cap_add", "cap_add: [NET_ADMIN]", "/cap_add", R"(["NET_ADMIN"])"},
    {"A2.cap_drop", "cap_drop: [ALL]", "/cap_drop", R"(["ALL"])"},
    {"A2.cgroup", "cgroup: private", "/cgroup", R"("private")"},
    {"A2.cgroup_parent", "cgroup_parent: x.slice", "/cgroup_parent", R"("x.slice")"},
    {"A2.command string", "command: serve --name 'a b'", "/command",
     R"(["serve", "--name", "a b"])"},
    {"A2.command list", "command: [serve, '1']", "/command", R"(["serve", "1"])"},
    {"A2.command null", "command:", "/command", "null"},
    {"A2.command empty", "command: []", "/command", "[]"},
    {"A2.configs", "configs: [c]", "/configs/0/source", R"("c")"},
    {"A11.configs long", "configs: [{source: c, target: /x, uid: '1', gid: '2', mode: 0440}]",
     "/configs/0", R"({"source": "c", "target": "/x", "uid": "1", "gid": "2", "mode": "0440"})"},
    {"A2.container_name", "container_name: some_name", "/container_name", R"("some_name")"},
    {"A2.cpu_count", "cpu_count: 2", "/cpu_count", "2"},
    {"A2.cpu_percent", "cpu_percent: 50", "/cpu_percent", "50"},
    {"A2.cpu_shares", "cpu_shares: 512", "/cpu_shares", "512"},
    {"A2.cpu_period", "cpu_period: 20000", "/cpu_period", "20000"},
    {"A2.cpu_quota", "cpu_quota: '50000'", "/cpu_quota", "50000"},
    {"A2.cpu_rt_period", "cpu_rt_period: 1400ms", "/cpu_rt_period", "1400000"},
    {"A2.cpu_rt_runtime", "cpu_rt_runtime: 95000", "/cpu_rt_runtime", "95000"},
    {"A2.cpus", "cpus: '1.5'", "/cpus", "1.5"},
    {"A2.cpuset", "cpuset: 0-3", "/cpuset", R"("0-3")"},
    {"A2.credential_spec", "credential_spec: {file: spec.json}", "/credential_spec/file",
     R"("spec.json")"},
    {"A2.depends_on", "depends_on: [b]", "/depends_on/b",
     R"({"condition": "service_started", "required": true})"},
    {"A4b.depends_on map",
     "depends_on: {b: {condition: service_healthy, restart: true, required: false}}",
     "/depends_on/b", R"({"condition": "service_healthy", "restart": true, "required": false})"},
    {"A4b.service_completed_successfully",
     "depends_on: {b: {condition: service_completed_successfully}}", "/depends_on/b/condition",
     R"("service_completed_successfully")"},
    {"A4.replicas", "deploy: {replicas: 3}", "/deploy/replicas", "3"},
    {"A4.mode", "deploy: {mode: global}", "/deploy/mode", R"("global")"},
    {"A4.limits", "deploy: {resources: {limits: {cpus: '0.5', memory: 50M, pids: 9}}}",
     "/deploy/resources/limits", R"({"cpus": 0.5, "memory": "52428800", "pids": 9})"},
    {"A4.reservations", "deploy: {resources: {reservations: {cpus: '0.25', memory: 20M}}}",
     "/deploy/resources/reservations", R"({"cpus": 0.25, "memory": "20971520"})"},
    {"A4.devices",
     "deploy: {resources: {reservations: {devices: [{capabilities: [gpu], driver: nvidia, "
     "device_ids: ['0'], options: {a: b}}]}}}",
     "/deploy/resources/reservations/devices/0",
     R"({"capabilities": ["gpu"], "driver": "nvidia", "device_ids": ["0"], "options": {"a": "b"}})"},
    {"A4.generic_resources",
     "deploy: {resources: {reservations: {generic_resources: [{discrete_resource_spec: {kind: "
     "ssd, value: 2}}]}}}",
     "/deploy/resources/reservations/generic_resources/0/discrete_resource_spec",
     R"({"kind": "ssd", "value": 2})"},
    {"A4.restart_policy",
     "deploy: {restart_policy: {condition: on-failure, delay: 5s, max_attempts: 3, window: 2m}}",
     "/deploy/restart_policy",
     R"({"condition": "on-failure", "delay": "5s", "max_attempts": 3, "window": "2m0s"})"},
    {"A4.update_config",
     "deploy: {update_config: {parallelism: 2, delay: 10s, order: start-first}}",
     "/deploy/update_config", R"({"parallelism": 2, "delay": "10s", "order": "start-first"})"},
    {"A4.rollback_config", "deploy: {rollback_config: {failure_action: pause, monitor: 1m}}",
     "/deploy/rollback_config", R"({"failure_action": "pause", "monitor": "1m0s"})"},
    {"A4.placement",
     "deploy: {placement: {constraints: [node.role==manager], max_replicas_per_node: 1}}",
     "/deploy/placement/constraints", R"(["node.role==manager"])"},
    {"A4.labels", "deploy: {labels: {a: b}}", "/deploy/labels", R"({"a": "b"})"},
    {"A4.endpoint_mode", "deploy: {endpoint_mode: vip}", "/deploy/endpoint_mode", R"("vip")"},
    {"A5.watch",
     "develop: {watch: [{path: ., action: sync, target: /src, ignore: [a], initial_sync: true}]}",
     "/develop/watch/0/ignore", R"(["a"])"},
    {"A5.exec",
     "develop: {watch: [{path: ., action: sync+exec, target: /src, exec: {command: x}}]}",
     "/develop/watch/0/exec/command", R"(["x"])"},
    {"A2.device_cgroup_rules", "device_cgroup_rules: ['c 1:3 mr']", "/device_cgroup_rules",
     R"(["c 1:3 mr"])"},
    {"A2.devices", "devices: ['/dev/a:/dev/b:r']", "/devices/0",
     R"({"source": "/dev/a", "target": "/dev/b", "permissions": "r"})"},
    {"A2.devices CDI", "devices: [vendor.com/gpu=0]", "/devices/0/source", R"("vendor.com/gpu=0")"},
    {"A2.devices long", "devices: [{source: /dev/a, target: /dev/b, permissions: rw}]",
     "/devices/0/permissions", R"("rw")"},
    {"A2.dns", "dns: 8.8.8.8", "/dns", R"(["8.8.8.8"])"},
    {"A2.dns_opt", "dns_opt: [use-vc]", "/dns_opt", R"(["use-vc"])"},
    {"A2.dns_search", "dns_search: [example.com]", "/dns_search", R"(["example.com"])"},
    {"A2.domainname", "domainname: example.com", "/domainname", R"("example.com")"},
    {"A2.entrypoint", "entrypoint: /run.sh -x", "/entrypoint", R"(["/run.sh", "-x"])"},
    {"A2.env_file", "env_file: /dev/null", "/environment", "null"},
    {"A2.env_file long", "env_file: [{path: ./none.env, required: false, format: raw}]",
     "/environment", "null"},
    {"A2.environment map", "environment: {A: 1, B: , SET: }", "/environment",
     R"({"A": "1", "B": null, "SET": "value"})"},
    {"A2.environment list", "environment: [A=1, 'B=x=y']", "/environment",
     R"({"A": "1", "B": "x=y"})"},
    {"A2.expose", "expose: [3000, '8000-8001', 53/udp]", "/expose",
     R"(["3000", "8000-8001", "53/udp"])"},
    {"A2.extends", "extends: b", "/hostname", R"("of-b")"},
    {"B8.extends long", "extends: {service: b}", "/hostname", R"("of-b")"},
    {"A2.external_links", "external_links: ['c:alias']", "/external_links", R"(["c:alias"])"},
    {"A2.extra_hosts", "extra_hosts: ['a=1.2.3.4', 'b:[::1]']", "/extra_hosts",
     R"(["a=1.2.3.4", "b=::1"])"},
    {"A2.extra_hosts map", "extra_hosts: {a: [1.2.3.4, 1.2.3.5]}", "/extra_hosts",
     R"(["a=1.2.3.4", "a=1.2.3.5"])"},
    {"A2.gpus", "gpus: all", "/gpus", R"([{"count": -1}])"},
    {"A13.gpus list", "gpus: [{driver: nvidia, count: 2}]", "/gpus",
     R"([{"driver": "nvidia", "count": 2}])"},
    {"A2.group_add", "group_add: [mail, 100]", "/group_add", R"(["mail", "100"])"},
    {"A6.healthcheck",
     "healthcheck: {test: curl localhost, interval: 90s, timeout: 0.5s, retries: 4, start_period: "
     "1d2h, start_interval: 2s}",
     "/healthcheck",
     R"({"test": ["CMD-SHELL", "curl localhost"], "timeout": "500ms", "interval": "1m30s",
         "retries": 4, "start_period": "26h0m0s", "start_interval": "2s"})"},
    {"A6.test list", "healthcheck: {test: [CMD, a]}", "/healthcheck/test", R"(["CMD", "a"])"},
    {"A6.disable", "healthcheck: {disable: true}", "/healthcheck/disable", "true"},
    {"A2.hostname", "hostname: h", "/hostname", R"("h")"},
    {"A2.image", "image: nginx:1", "/image", R"("nginx:1")"},
    {"A2.init", "init: false", "/init", "false"},
    {"A2.ipc", "ipc: host", "/ipc", R"("host")"},
    {"A2.isolation", "isolation: default", "/isolation", R"("default")"},
    {"A2.label_file", "label_file: /dev/null", "/labels", "null"},
    {"A2.labels", "labels: {a: b, n: }", "/labels", R"({"a": "b", "n": ""})"},
    {"A2.labels list", "labels: [a=b]", "/labels", R"({"a": "b"})"},
    {"A2.links", "links: ['b:alias']", "/links", R"(["b:alias"])"},
    {"A2.logging", "logging: {driver: local, options: {max-size: 10m, max-file: 3}}", "/logging",
     R"({"driver": "local", "options": {"max-file": "3", "max-size": "10m"}})"},
    {"A2.mac_address", "mac_address: '02:42:ac:11:00:01'", "/mac_address",
     R"("02:42:ac:11:00:01")"},
    {"A2.mem_limit", "mem_limit: 1.5g", "/mem_limit", R"("1610612736")"},
    {"A2.mem_reservation", "mem_reservation: 64 MB", "/mem_reservation", R"("67108864")"},
    {"A2.mem_swappiness", "mem_swappiness: 60", "/mem_swappiness", R"("60")"},
    {"A2.memswap_limit", "memswap_limit: -1", "/memswap_limit", R"("-1")"},
    {"A2.models", "models: {m: {endpoint_var: URL}}", "/models/m/endpoint_var", R"("URL")"},
    {"A2.network_mode", "network_mode: host", "/network_mode", R"("host")"},
    {"A2.networks", "networks: [net]", "/networks", R"({"net": null})"},
    {"A7.networks map",
     "networks: {net: {aliases: [x], ipv4_address: 10.0.0.2, ipv6_address: 'fd00::2', "
     "link_local_ips: [169.254.1.1], mac_address: '02:42:ac:11:00:02', priority: 5, gw_priority: "
     "1, interface_name: eth9, driver_opts: {a: b}}}",
     "/networks/net",
     R"({"aliases": ["x"], "driver_opts": {"a": "b"}, "gw_priority": 1, "interface_name": "eth9",
         "ipv4_address": "10.0.0.2", "ipv6_address": "fd00::2", "link_local_ips": ["169.254.1.1"],
         "mac_address": "02:42:ac:11:00:02", "priority": 5})"},
    {"A2.oom_kill_disable", "oom_kill_disable: true", "/oom_kill_disable", "true"},
    {"A2.oom_score_adj", "oom_score_adj: -500", "/oom_score_adj", "-500"},
    {"A2.pid", "pid: host", "/pid", R"("host")"},
    {"A2.pids_limit", "pids_limit: -1", "/pids_limit", "-1"},
    {"A2.platform", "platform: linux/amd64", "/platform", R"("linux/amd64")"},
    {"A2.P short", "ports: ['127.0.0.1:8001:8001/udp']", "/ports/0",
     R"({"mode": "ingress", "host_ip": "127.0.0.1", "target": 8001, "published": "8001",
         "protocol": "udp"})"},
    {"A2.P range", "ports: ['9090-9091:8080-8081']", "/ports/1/target", "8081"},
    {"A2.P ephemeral", "ports: [80]", "/ports/0",
     R"({"mode": "ingress", "target": 80, "protocol": "tcp"})"},
    {"A2.P long",
     "ports: [{name: web, target: '80', published: 8080-8090, host_ip: 1.2.3.4, protocol: tcp, "
     "app_protocol: http, mode: host}]",
     "/ports/0",
     R"({"name": "web", "mode": "host", "host_ip": "1.2.3.4", "target": 80,
         "published": "8080-8090", "protocol": "tcp", "app_protocol": "http"})"},
    {"A14.post_start", "post_start: [{command: ./x.sh, user: root, privileged: true}]",
     "/post_start/0", R"({"command": ["./x.sh"], "user": "root", "privileged": true})"},
    {"A14.pre_stop", "pre_stop: [{command: [x], working_dir: /w, environment: [A=1]}]",
     "/pre_stop/0", R"({"command": ["x"], "working_dir": "/w", "environment": {"A": "1"}})"},
    {"A14.pre_start", "pre_start: [{image: tool, command: [x], per_replica: false}]",
     "/pre_start/0", R"({"command": ["x"], "image": "tool"})"},
    {"A2.privileged", "privileged: true", "/privileged", "true"},
    {"A15.provider", "image: !reset\nprovider: {type: tool, options: {a: b, c: [1, 2]}}",
     "/provider/options", R"({"a": ["b"], "c": ["1", "2"]})"},
    {"A2.pull_policy", "pull_policy: if_not_present", "/pull_policy", R"("missing")"},
    {"A2.pull_policy every", "pull_policy: every_12h", "/pull_policy", R"("every_12h")"},
    {"A2.profiles", "profiles: []", "/profiles", "null"},
    {"A2.pull_refresh_after", "pull_refresh_after: 1d", "/pull_refresh_after", "null"},
    {"A2.read_only", "read_only: 'yes'", "/read_only", "true"},
    {"A2.restart", "restart: no", "/restart", R"("no")"},
    {"A2.restart on-failure", "restart: on-failure:3", "/restart", R"("on-failure:3")"},
    {"A2.runtime", "runtime: crun", "/runtime", R"("crun")"},
    {"A2.scale", "scale: 2", "/scale", "2"},
    {"A2.secrets", "secrets: [s]", "/secrets/0", R"({"source": "s", "target": "/run/secrets/s"})"},
    {"A11.secrets long", "secrets: [{source: s, target: t, mode: '0400'}]", "/secrets/0",
     R"({"source": "s", "target": "t", "mode": "0400"})"},
    {"A2.security_opt", "security_opt: [no-new-privileges]", "/security_opt",
     R"(["no-new-privileges"])"},
    {"A2.shm_size", "shm_size: 1kB", "/shm_size", R"("1024")"},
    {"A2.stdin_open", "stdin_open: true", "/stdin_open", "true"},
    {"A2.stop_grace_period", "stop_grace_period: 1m", "/stop_grace_period", R"("1m0s")"},
    {"A2.stop_signal", "stop_signal: SIGUSR1", "/stop_signal", R"("SIGUSR1")"},
    {"A2.storage_opt", "storage_opt: {size: 1G}", "/storage_opt", R"({"size": "1G"})"},
    {"A2.sysctls", "sysctls: {net.core.somaxconn: 1024}", "/sysctls",
     R"({"net.core.somaxconn": "1024"})"},
    {"A2.sysctls list", "sysctls: [net.core.somaxconn=1024]", "/sysctls",
     R"({"net.core.somaxconn": "1024"})"},
    {"A2.tmpfs", "tmpfs: '/run:size=1m'", "/tmpfs", R"(["/run:size=1m"])"},
    {"A2.tty", "tty: true", "/tty", "true"},
    {"A2.ulimits", "ulimits: {nofile: 1024, nproc: {soft: 1, hard: 2}}", "/ulimits",
     R"({"nofile": 1024, "nproc": {"soft": 1, "hard": 2}})"},
    {"A2.use_api_socket", "use_api_socket: true", "/use_api_socket", "true"},
    {"A2.user", "user: '1000:1000'", "/user", R"("1000:1000")"},
    {"A2.userns_mode", "userns_mode: host", "/userns_mode", R"("host")"},
    {"A2.uts", "uts: host", "/uts", R"("host")"},
    {"A8.volumes named", "volumes: ['v:/data:ro']", "/volumes/0",
     R"({"type": "volume", "source": "v", "target": "/data", "read_only": true, "volume": {}})"},
    {"A8.volumes bind", "volumes: ['./x:/rel/../r:Z,rshared']", "/volumes/0",
     R"({"type": "bind", "source": "/nowhere/x", "target": "/r",
         "bind": {"selinux": "Z", "propagation": "rshared", "create_host_path": true}})"},
    {"A8.volumes anonymous", "volumes: [/data]", "/volumes/0",
     R"({"type": "volume", "target": "/data", "volume": {}})"},
    {"A8.volumes home", "volumes: ['~/x:/x']", "/volumes/0/source", R"("/root/x")"},
    {"A8.volumes long",
     "volumes: [{type: volume, source: v, target: /d, volume: {nocopy: true, subpath: s, labels: "
     "{a: b}}}]",
     "/volumes/0/volume", R"({"labels": {"a": "b"}, "nocopy": true, "subpath": "s"})"},
    {"A8.bind long",
     "volumes: [{type: bind, source: /h, target: /d, read_only: true, bind: {propagation: slave, "
     "create_host_path: false, recursive: readonly, selinux: z}}]",
     "/volumes/0/bind", R"({"selinux": "z", "propagation": "slave", "recursive": "readonly"})"},
    {"A8.tmpfs", "volumes: [{type: tmpfs, target: /t, tmpfs: {size: 10m, mode: 0755}}]",
     "/volumes/0/tmpfs", R"({"size": "10485760", "mode": 493})"},
    {"A8.image", "volumes: [{type: image, source: tool, target: /i, image: {subpath: s}}]",
     "/volumes/0/image", R"({"subpath": "s"})"},
    {"A8.npipe", "volumes: [{type: npipe, source: a, target: b}]", "/volumes/0/type", R"("npipe")"},
    {"A8.consistency", "volumes: [{type: bind, source: /h, target: /d, consistency: cached}]",
     "/volumes/0/consistency", R"("cached")"},
    {"A2.volumes_from", "volumes_from: ['b:ro']", "/volumes_from", R"(["b:ro"])"},
    {"A2.working_dir", "working_dir: /w", "/working_dir", R"("/w")"},
};

class ServiceRow : public testing::TestWithParam<Row> {};

TEST_P(ServiceRow, IsReadAsTheReferenceSays) {
  const Row& row = GetParam();
  const std::string written = row.written;
  const bool has_source = written.find("image:") == 0 || written.find("\nimage:") == 0;
  std::string text =
      "services:\n  a:\n" + indented(has_source ? written : "image: i\n" + written) +
      "  b: {image: i, hostname: of-b}\n"
      "networks: {net: {ipam: {config: [{subnet: 10.0.0.0/8}]}}}\n"
      "volumes: {v: }\nconfigs: {c: {content: x}}\nsecrets: {s: {environment: SET}}\n"
      "models: {m: {model: ai/x}}\n";
  const Json service = model_of(text).at("services").at("a");
  const Json::json_pointer path(row.path);
  const Json read = service.contains(path) ? service.at(path) : Json();
  EXPECT_EQ(nlohmann::json(read), nlohmann::json::parse(row.read)) << text << read;
}

INSTANTIATE_TEST_SUITE_P(Reference, ServiceRow, testing::ValuesIn(kService));

// ---------------------------------------------------------------- A3: build

constexpr Row kBuild[] = {
    {"A3.context url", "context: https://example.com/x.git#main:dir", "/context",
     R"("https://example.com/x.git#main:dir")"},
    {"A3.dockerfile", "dockerfile: ../D", "/dockerfile", R"("../D")"},
    {"A3.dockerfile_inline", "dockerfile_inline: FROM x", "/dockerfile_inline", R"("FROM x")"},
    {"A3.args", "args: {A: 1, SET: , GONE: }", "/args", R"({"A": "1", "SET": "value"})"},
    {"A3.additional_contexts", "additional_contexts: [x=./y, 'z=docker-image://i']",
     "/additional_contexts", R"({"x": "/nowhere/y", "z": "docker-image://i"})"},
    {"A3.target", "target: t", "/target", R"("t")"},
    {"A3.tags", "tags: [a, b]", "/tags", R"(["a", "b"])"},
    {"A3.labels", "labels: [a=b]", "/labels", R"({"a": "b"})"},
    {"A3.cache_from", "cache_from: [x, 'type=local,src=y']", "/cache_from",
     R"(["x", "type=local,src=y"])"},
    {"A3.cache_to", "cache_to: [x]", "/cache_to", R"(["x"])"},
    {"A3.no_cache", "no_cache: true", "/no_cache", "true"},
    {"A3.pull", "pull: true", "/pull", "true"},
    {"A3.privileged", "privileged: true", "/privileged", "true"},
    {"A3.no_cache_filter", "no_cache_filter: stage", "/no_cache_filter", R"(["stage"])"},
    {"A3.network", "network: host", "/network", R"("host")"},
    {"A3.platforms", "platforms: [linux/amd64]", "/platforms", R"(["linux/amd64"])"},
    {"A3.secrets", "secrets: [s]", "/secrets/0/source", R"("s")"},
    {"A3.ssh", "ssh: [default, k=/key]", "/ssh", R"(["default", "k: /key"])"},
    {"A3.shm_size", "shm_size: 1m", "/shm_size", R"("1048576")"},
    {"A3.ulimits", "ulimits: {nofile: 5}", "/ulimits", R"({"nofile": 5})"},
    {"A3.extra_hosts", "extra_hosts: {a: 1.2.3.4}", "/extra_hosts", R"(["a=1.2.3.4"])"},
    {"A3.isolation", "isolation: default", "/isolation", R"("default")"},
    {"A3.entitlements", "entitlements: [network.host]", "/entitlements", R"(["network.host"])"},
    {"A3.provenance", "provenance: true", "/provenance", R"("true")"},
    {"A3.sbom", "sbom: generator=x", "/sbom", R"("generator=x")"},
};

class BuildRow : public testing::TestWithParam<Row> {};

TEST_P(BuildRow, IsReadAsTheReferenceSays) {
  const Row& row = GetParam();
  const Json model = model_of("services:\n  a:\n    build:\n      " + std::string(row.written) +
                              "\nsecrets: {s: {environment: SET}}\n");
  const Json build = model.at("services").at("a").at("build");
  const Json::json_pointer path(row.path);
  const Json read = build.contains(path) ? build.at(path) : Json();
  EXPECT_EQ(nlohmann::json(read), nlohmann::json::parse(row.read)) << build;
}

INSTANTIATE_TEST_SUITE_P(Reference, BuildRow, testing::ValuesIn(kBuild));

// ---------------------------------------------------------------- A1, A7, A9, A10, A12: the rest

constexpr Row kTop[] = {
    {"A1.version", "version: '3.8'", "/version", "null"},
    {"A1.x-*", "x-own: {a: [1, yes]}", "/x-own", R"({"a": [1, "yes"]})"},
    {"A7.name", "networks: {n: {name: real}}", "/networks/n/name", R"("real")"},
    {"A7.default name", "networks: {n: }", "/networks/n/name", R"("p_n")"},
    {"A7.driver", "networks: {n: {driver: macvlan, driver_opts: {parent: eth0, mtu: 1400}}}",
     "/networks/n/driver_opts", R"({"mtu": "1400", "parent": "eth0"})"},
    {"A7.external", "networks: {n: {external: true}}", "/networks/n",
     R"({"name": "n", "ipam": {}, "external": true})"},
    {"A7.external name", "networks: {n: {external: {name: real}}}", "/networks/n/name",
     R"("real")"},
    {"A7.internal", "networks: {n: {internal: true}}", "/networks/n/internal", "true"},
    {"A7.enable_ipv6", "networks: {n: {enable_ipv4: false, enable_ipv6: true}}",
     "/networks/n/enable_ipv4", "false"},
    {"A7.attachable", "networks: {n: {attachable: true}}", "/networks/n/attachable", "true"},
    {"A7.labels", "networks: {n: {labels: [a=b, c]}}", "/networks/n/labels",
     R"({"a": "b", "c": ""})"},
    {"A7.ipam",
     "networks: {n: {ipam: {driver: default, config: [{subnet: 10.0.0.0/8, ip_range: 10.1.0.0/16, "
     "gateway: 10.0.0.1, aux_addresses: {h: 10.0.0.9}}], options: {a: b}}}}",
     "/networks/n/ipam",
     R"({"driver": "default", "config": [{"subnet": "10.0.0.0/8", "gateway": "10.0.0.1",
         "ip_range": "10.1.0.0/16", "aux_addresses": {"h": "10.0.0.9"}}]})"},
    {"A9.name", "volumes: {v: {name: real}}", "/volumes/v/name", R"("real")"},
    {"A9.default name", "volumes: {v: }", "/volumes/v/name", R"("p_v")"},
    {"A9.empty name", "volumes: {v: {name: '', external: true}}", "/volumes/v",
     R"({"external": true})"},
    {"A9.driver_opts",
     "volumes: {v: {driver: local, driver_opts: {type: none, o: bind, device: x}}}",
     "/volumes/v/driver_opts/device", R"("/nowhere/x")"},
    {"A9.external", "volumes: {v: {external: true}}", "/volumes/v",
     R"({"name": "v", "external": true})"},
    {"A9.labels", "volumes: {v: {labels: {a: b}}}", "/volumes/v/labels", R"({"a": "b"})"},
    {"A10.content", "configs: {c: {content: \"a ${SET}\"}}", "/configs/c/content", R"("a value")"},
    {"A10.file", "configs: {c: {file: ./f}}", "/configs/c/file", R"("/nowhere/f")"},
    {"A10.config environment", "configs: {c: {environment: SET}}", "/configs/c/environment",
     R"("SET")"},
    {"A10.secret file", "secrets: {s: {file: ~/f}}", "/secrets/s/file", R"("/root/f")"},
    {"A10.secret environment", "secrets: {s: {environment: SET}}", "/secrets/s",
     R"({"name": "p_s", "environment": "SET"})"},
    {"A10.external", "secrets: {s: {external: true, name: real}}", "/secrets/s",
     R"({"name": "real", "external": true})"},
    {"A10.driver",
     "secrets: {s: {driver: d, driver_opts: {a: b}, template_driver: t, labels: [l]}}",
     "/secrets/s/driver_opts", R"({"a": "b"})"},
};

class TopRow : public testing::TestWithParam<Row> {};

TEST_P(TopRow, IsReadAsTheReferenceSays) {
  const Row& row = GetParam();
  const std::string written = row.written;
  std::string text = "services:\n  a:\n    image: i\n";
  if (written.starts_with("networks")) text += "    networks: [n]\n";
  if (written.starts_with("volumes")) text += "    volumes: ['v:/x']\n";
  if (written.starts_with("configs")) text += "    configs: [c]\n";
  if (written.starts_with("secrets")) text += "    secrets: [s]\n";
  const Json model = model_of(text + written + "\n");
  const Json::json_pointer path(row.path);
  const Json read = model.contains(path) ? model.at(path) : Json();
  EXPECT_EQ(nlohmann::json(read), nlohmann::json::parse(row.read)) << model;
}

INSTANTIATE_TEST_SUITE_P(Reference, TopRow, testing::ValuesIn(kTop));

// ---------------------------------------------------------------- no attribute without a row

TEST(AttributeRows, EveryAttributeOfAServiceHasOne) {
  std::set<std::string> tested;
  for (const Row& row : kService)
    for (const std::string line = std::string("\n") + row.written;
         const auto key : rule_of_key(compose_schema(), "services")->value->keys)
      if (line.find("\n" + std::string(key.name) + ":") != std::string::npos)
        tested.emplace(key.name);
  for (const auto& key : rule_of_key(compose_schema(), "services")->value->keys)
    EXPECT_TRUE(tested.contains(std::string(key.name)) || key.name == "deploy" ||
                key.name == "develop")
        << key.name;
  std::set<std::string> built;
  for (const Row& row : kBuild) {
    const std::string written = row.written;
    built.insert(written.substr(0, written.find(':')));
  }
  const Rule* build = rule_of_key(*rule_of_key(compose_schema(), "services")->value, "build");
  for (const auto& key : build->keys)
    EXPECT_TRUE(built.contains(std::string(key.name))) << key.name;
}

}  // namespace
}  // namespace manifests
