#include "manifests/decode.hpp"

#include <limits>

#include "manifests/print.hpp"
#include "tests/unit/manifests/stack_of.hpp"

namespace manifests {
namespace {

using namespace std::chrono_literals;

TEST(DecodeA1, TopLevel) {
  const Stack stack = stack_of("x-note: {b: 1}\nservices: {}\n");
  EXPECT_TRUE(stack.services.empty());
  EXPECT_EQ(stack.extensions.at("x-note").dump(), "{\"b\":1}");
}

TEST(DecodeA2, CommandNullDiffersFromEmpty) {
  EXPECT_FALSE(service_of("").command);
  EXPECT_FALSE(service_of("command: ").command);
  EXPECT_EQ(service_of("command: []").command, Strings{});
  EXPECT_EQ(service_of("command: ''").command, Strings{});
  EXPECT_EQ(service_of("command: sh -c 'a b'").command, (Strings{"sh", "-c", "a b"}));
}

TEST(DecodeA2, Entrypoint) {
  EXPECT_EQ(service_of("entrypoint: /run --x").entrypoint, (Strings{"/run", "--x"}));
  EXPECT_EQ(service_of("entrypoint: [a, b c]").entrypoint, (Strings{"a", "b c"}));
}

TEST(DecodeA2, CapAddAndCapDrop) {
  const Service service = service_of("cap_add: [NET_ADMIN]\ncap_drop: [ALL]");
  EXPECT_EQ(service.cap_add, Strings{"NET_ADMIN"});
  EXPECT_EQ(service.cap_drop, Strings{"ALL"});
}

TEST(DecodeA2, PlainStrings) {
  const Service service = service_of(
      "container_name: box\nhostname: h\nuser: '1:2'\nworking_dir: /w\nstop_signal: SIGINT\n"
      "restart: on-failure:3\npull_policy: always\nnetwork_mode: host");
  EXPECT_EQ(service.image, "i");
  EXPECT_EQ(service.container_name, "box");
  EXPECT_EQ(service.hostname, "h");
  EXPECT_EQ(service.user, "1:2");
  EXPECT_EQ(service.working_dir, "/w");
  EXPECT_EQ(service.stop_signal, "SIGINT");
  EXPECT_EQ(service.restart, "on-failure:3");
  EXPECT_EQ(service.pull_policy, "always");
  EXPECT_EQ(service.network_mode, "host");
}

TEST(DecodeA2, CpusMemoryAndShares) {
  const Service service = service_of("cpus: '1.5'\nmem_limit: 64m\nmemswap_limit: -1\ncpuset: 0-1");
  EXPECT_EQ(service.cpus, 1.5);
  EXPECT_EQ(service.mem_limit.value, 64 << 20);
  EXPECT_EQ(service.memswap_limit.value, -1);
  EXPECT_EQ(service.cpuset, "0-1");
}

TEST(DecodeA2, RealTimePeriodsMayBeDurations) {
  EXPECT_EQ(service_of("cpu_rt_period: 400ms").cpu_rt_period, 400000);
  EXPECT_EQ(service_of("cpu_rt_runtime: 95000").cpu_rt_runtime, 95000);
}

TEST(DecodeA2, Dns) {
  EXPECT_EQ(service_of("dns: 1.1.1.1").dns, Strings{"1.1.1.1"});
  EXPECT_EQ(service_of("dns: [1.1.1.1, 8.8.8.8]").dns.size(), 2U);
}

TEST(DecodeA2, EnvFile) {
  const Service service = service_of("env_file: [a.env, {path: b.env, required: false}]");
  ASSERT_EQ(service.env_file.size(), 2U);
  EXPECT_TRUE(service.env_file[0].required);
  EXPECT_FALSE(service.env_file[1].required);
}

TEST(DecodeA2, EnvironmentMapAndList) {
  const Service map = service_of("environment: {A: 1, B: true, C: , D: 1.50, SET: }");
  EXPECT_EQ(map.environment.at("A"), "1");
  EXPECT_EQ(map.environment.at("B"), "true");
  EXPECT_EQ(map.environment.at("C"), std::nullopt);
  EXPECT_EQ(map.environment.at("D"), "1.5");
  EXPECT_EQ(map.environment.at("SET"), "value");
  const Service list = service_of("environment: [A=b=c, C]");
  EXPECT_EQ(list.environment.at("A"), "b=c");
  EXPECT_EQ(list.environment.at("C"), std::nullopt);
  EXPECT_NE(errors_of("services: {a: {image: i, environment: ['A =1']}}").find("trailing space"),
            std::string::npos);
}

TEST(DecodeA2, ExtraHosts) {
  const Service service = service_of("extra_hosts: ['h=1.2.3.4', 'x:[::1]', 'g=host-gateway']");
  EXPECT_EQ(service.extra_hosts.at("h"), Strings{"1.2.3.4"});
  EXPECT_EQ(service.extra_hosts.at("x"), Strings{"::1"});
  EXPECT_EQ(service.extra_hosts.at("g"), Strings{"host-gateway"});
  EXPECT_NE(errors_of("services: {a: {image: i, extra_hosts: [h]}}").find("missing IP"),
            std::string::npos);
}

TEST(DecodeA6, Healthcheck) {
  const Service service = service_of(
      "healthcheck: {test: curl x, interval: 1m30s, timeout: 5s, retries: 5, start_period: 0s}");
  ASSERT_TRUE(service.healthcheck);
  EXPECT_EQ(service.healthcheck->test, (Strings{"CMD-SHELL", "curl x"}));
  EXPECT_EQ(service.healthcheck->interval, 90s);
  EXPECT_EQ(service.healthcheck->retries, 5U);
  EXPECT_EQ(service.healthcheck->start_period, 0s);
  EXPECT_FALSE(service.healthcheck->start_interval);
  EXPECT_TRUE(service_of("healthcheck: {disable: true}").healthcheck->disabled());
  EXPECT_TRUE(service_of("healthcheck: {test: [NONE]}").healthcheck->disabled());
}

TEST(DecodeA2, InitLabelsLogging) {
  const Service service = service_of(
      "init: true\nlabels: {a: 1, b: }\nlogging: {driver: local, options: {max-size: 10m}}");
  EXPECT_EQ(service.init, true);
  EXPECT_EQ(service.labels.at("a"), "1");
  EXPECT_EQ(service.labels.at("b"), "");
  EXPECT_EQ(service.logging->options.at("max-size"), "10m");
}

TEST(DecodeA2, ReadOnlyScaleTmpfsGrace) {
  const Service service =
      service_of("read_only: true\nscale: 2\ntmpfs: /t:size=1m\nstop_grace_period: 1m30s");
  EXPECT_TRUE(service.read_only);
  EXPECT_EQ(service.replicas(), 2);
  EXPECT_EQ(service.tmpfs, Strings{"/t:size=1m"});
  EXPECT_EQ(service.grace_period(), 90s);
  EXPECT_EQ(service_of("").grace_period(), 10s);
}

TEST(DecodeA2, Ulimits) {
  const Service service = service_of("ulimits: {nofile: {soft: 1, hard: 2}, core: 0, nproc: -1}");
  EXPECT_EQ(service.ulimits.at("nofile").hard_limit(), 2);
  EXPECT_EQ(service.ulimits.at("core").soft_limit(), 0);
  EXPECT_EQ(service.ulimits.at("nproc").hard_limit(), -1);
}

TEST(DecodeA2P, Ports) {
  const Service service = service_of("ports: ['8000-8002:80', {target: 443, published: 8443}]");
  ASSERT_EQ(service.ports.size(), 2U);
  EXPECT_EQ(service.ports[0].published_range(),
            (std::pair<std::uint16_t, std::uint16_t>(8000, 8002)));
  EXPECT_EQ(service.ports[1].published, "8443");
  EXPECT_EQ(service.ports[1].mode, "ingress");
}

TEST(DecodeA4, Deploy) {
  const Service service = service_of(
      "deploy: {replicas: 3, resources: {limits: {cpus: '0.5', memory: 50M, pids: 9}, "
      "reservations: {memory: 20M}}, restart_policy: {condition: on-failure, max_attempts: 3, "
      "delay: 5s}}");
  EXPECT_EQ(service.replicas(), 3);
  EXPECT_EQ(service.limits().cpus, 0.5);
  EXPECT_EQ(service.limits().memory.value, 50 << 20);
  EXPECT_EQ(service.limits().memory_reservation.value, 20 << 20);
  EXPECT_EQ(service.limits().pids, 9);
  EXPECT_EQ(service.restart_policy(), (RestartPolicy{RestartPolicy::When::on_failure, 3}));
}

TEST(DecodeA4b, Dependencies) {
  const Stack stack = stack_of(
      "services:\n  a:\n    image: i\n    depends_on:\n      b: {condition: service_healthy, "
      "restart: true, required: false}\n  b: {image: i}\n");
  const Dependency& dependency = stack.services.at("a").depends_on.at("b");
  EXPECT_EQ(dependency.condition, Condition::service_healthy);
  EXPECT_TRUE(dependency.restart);
  EXPECT_FALSE(dependency.required);
}

TEST(DecodeA7, AttachmentsAndNetworks) {
  const Stack stack = stack_of(
      "services: {a: {image: i, networks: {n: {aliases: [x], ipv4_address: 10.0.0.2, "
      "priority: 5}, m: }}}\nnetworks: {m: {internal: true}, n: {driver: bridge, ipam: {config: "
      "[{subnet: 10.0.0.0/24, gateway: 10.0.0.1}]}}, e: {external: true, name: real}}\n");
  const Service& service = stack.services.at("a");
  EXPECT_EQ(service.networks.at("n").aliases, Strings{"x"});
  EXPECT_EQ(service.networks.at("n").ipv4_address, "10.0.0.2");
  EXPECT_FALSE(service.networks.at("m").written);
  EXPECT_EQ(service.networks_by_priority(), (std::vector<std::string>{"n", "m"}));
  EXPECT_TRUE(stack.networks.at("m").internal);
  EXPECT_EQ(stack.networks.at("n").ipam.config.at(0).subnet, "10.0.0.0/24");
  EXPECT_TRUE(stack.networks.at("e").external);
}

TEST(DecodeA8, MountsInLongForm) {
  const Service service = service_of(
      "volumes: [{type: bind, source: /s, target: /b, read_only: true, bind: {propagation: "
      "rslave}}, {type: volume, source: v, target: /v, volume: {nocopy: true, subpath: x}}, "
      "{type: tmpfs, target: /t, tmpfs: {size: 10m, mode: 0755}}]");
  ASSERT_EQ(service.volumes.size(), 3U);
  EXPECT_TRUE(service.volumes[0].create_host_path());
  EXPECT_EQ(service.volumes[0].bind->propagation, "rslave");
  EXPECT_TRUE(service.volumes[1].volume->nocopy);
  EXPECT_EQ(service.volumes[2].tmpfs->size.value, 10 << 20);
  EXPECT_EQ(service.volumes[2].tmpfs->mode, 0755U);
}

TEST(DecodeA9, Volumes) {
  const Stack stack = stack_of(
      "volumes: {v: {driver: local, driver_opts: {type: nfs}}, e: "
      "{external: true}}\nservices: {}");
  EXPECT_EQ(stack.volumes.at("v").driver_opts.at("type"), "nfs");
  EXPECT_EQ(stack.volumes.at("e").name, "e");
}

TEST(DecodeA10A11, ConfigsAndSecrets) {
  const Stack stack = stack_of(
      "services: {a: {image: i, configs: [c], secrets: [{source: s, target: t, uid: '1', mode: "
      "0440}]}}\nconfigs: {c: {content: x}}\nsecrets: {s: {environment: SET}}\n");
  const Service& service = stack.services.at("a");
  EXPECT_EQ(config_path(service.configs[0]), "/c");
  EXPECT_EQ(secret_path(service.secrets[0]), "/run/secrets/t");
  EXPECT_EQ(service.secrets[0].mode->bits, 0440U);
  EXPECT_EQ(stack.configs.at("c").content, "x");
  EXPECT_EQ(stack.secrets.at("s").content, "value");
}

TEST(DecodeA0, FileModes) {
  const auto mode = [](const std::string& text) {
    return stack_of("services: {a: {image: i, secrets: [{source: s, mode: " + text +
                    "}]}}\nsecrets: {s: {file: f}}")
        .services.at("a")
        .secrets.at(0)
        .mode->bits;
  };
  EXPECT_EQ(mode("0440"), 0440U);
  EXPECT_EQ(mode("0o440"), 0440U);
  EXPECT_EQ(mode("'440'"), 0440U);
  EXPECT_EQ(mode("440"), 0670U);
}

TEST(DecodeA0, Yaml11BooleansWarn) {
  Diagnostics diagnostics;
  const Stack stack = stack_of("services: {a: {image: i, tty: 'yes'}}", diagnostics);
  EXPECT_TRUE(stack.services.at("a").tty);
  ASSERT_EQ(diagnostics.all().size(), 1U);
  EXPECT_EQ(diagnostics.all()[0].message,
            "\"yes\" for boolean is not supported by YAML 1.2, please use `true`");
}

TEST(Decode, PositionsAreKept) {
  const Stack stack = stack_of("services:\n  a:\n    image: i\n    ports:\n      - 80:80\n");
  ASSERT_NE(stack.position("services.a.ports[0].target"), nullptr);
  EXPECT_EQ(stack.position("services.a.ports[0].target")->line, 5);
  EXPECT_EQ(stack.position("services.a.unknown")->line, 2);
  EXPECT_EQ(stack.position("nowhere"), nullptr);
}

TEST(Decode, JsonRoundTripIsExact) {
  const Stack stack = stack_of(
      "services:\n  a:\n    image: i\n    command: []\n    stop_grace_period: 1m30s\n"
      "    ulimits: {core: 0}\n    volumes: [{type: bind, source: /s, target: /t, bind: "
      "{create_host_path: false}}]\n    x-own: {k: [1, 2.5, null]}\n    secrets: [s]\n"
      "    environment: {A: , B: 'x'}\n    build: {ssh: [default, k=/p]}\n"
      "    env_file: [{path: /dev/null, required: false, format: raw}]\n"
      "    healthcheck: {test: [CMD, x], interval: 500ms}\n    networks: {n: {}}\n"
      "  b:\n    image: i\n    blkio_config: {weight: 10, device_read_bps: [{path: /d, rate: "
      "1m}]}\n"
      "networks: {n: }\nsecrets: {s: {environment: SET}}\nx-top: 1\n");
  const Json json = to_json(stack, Detail::complete);
  const Stack again = from_json(json);
  EXPECT_EQ(to_json(again, Detail::complete).dump(2), json.dump(2));
  EXPECT_EQ(again.services.at("a").command, Strings{});
  EXPECT_FALSE(again.services.at("b").command);
  EXPECT_EQ(again.services.at("a").stop_grace_period, 90s);
  EXPECT_EQ(again.services.at("a").ulimits.at("core").single, 0);
  EXPECT_FALSE(again.services.at("a").volumes.at(0).create_host_path());
  EXPECT_EQ(again.secrets.at("s").content, "value");
}

TEST(DecodeJson, NumbersThatAreNoneComeBackFromTheModel) {
  const Stack stack = stack_of("services: {}\nx-n: {a: .inf, b: -.inf, c: .nan, d: 1.5}\n");
  const Json again = to_json(from_json(to_json(stack, Detail::complete)), Detail::complete);
  EXPECT_EQ(again["x-n"]["a"], Json(std::numeric_limits<double>::infinity()));
  EXPECT_EQ(again["x-n"]["b"], Json(-std::numeric_limits<double>::infinity()));
  EXPECT_TRUE(again["x-n"]["c"].is_number_float());
  EXPECT_EQ(again["x-n"]["d"], Json(1.5));
}

}  // namespace
}  // namespace manifests
