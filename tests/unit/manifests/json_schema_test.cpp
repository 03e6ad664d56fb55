// The table, the JSON Schema and the model's lists of members say the same.
#include "manifests/json_schema.hpp"

#include <gtest/gtest.h>

#include <set>

#include "manifests/attribute_help.hpp"
#include "manifests/fields.hpp"
#include "manifests/language.hpp"

namespace manifests {
namespace {

/// The keys that decode reads and print writes.
class Keys {
 public:
  template <class T>
  void field(std::string_view key, const T&) {
    keys.emplace(key);
  }
  template <class T>
  void always(std::string_view key, const T&) {
    keys.emplace(key);
  }
  void hosts(std::string_view key, const std::map<std::string, Strings>&) { keys.emplace(key); }
  void extensions(const Extensions&) {}

  std::set<std::string> keys;
};

template <class T>
std::set<std::string> members_of() {
  Keys keys;
  const T value{};
  describe(value, keys);
  return std::move(keys.keys);
}

std::set<std::string> rule_keys(const TreePath& path) {
  std::set<std::string> keys;
  const Rule* rule = rule_at(path);
  EXPECT_NE(rule, nullptr) << dotted(path);
  if (rule != nullptr)
    for (const Rule::Key& key : rule->keys) keys.emplace(key.name);
  return keys;
}

template <class T>
void expect_same(const TreePath& path, const std::set<std::string>& only_in_table = {},
                 const std::set<std::string>& only_in_model = {}) {
  std::set<std::string> table = rule_keys(path);
  std::set<std::string> model = members_of<T>();
  for (const std::string& key : only_in_table) EXPECT_EQ(table.erase(key), 1U) << key;
  for (const std::string& key : only_in_model) EXPECT_EQ(model.erase(key), 1U) << key;
  EXPECT_EQ(table, model) << dotted(path);
}

TEST(JsonSchema, TheTableAndTheModelHaveTheSameAttributes) {
  const TreePath service = {"services", "a"};
  const auto below = [&](std::initializer_list<const char*> keys) {
    TreePath path = service;
    path.insert(path.end(), keys.begin(), keys.end());
    return path;
  };
  // `extends` is gone once it is applied; the other is obsolete.
  expect_same<Service>(service, {"extends", "pull_refresh_after"});
  expect_same<Build>(below({"build"}));
  expect_same<Healthcheck>(below({"healthcheck"}));
  expect_same<Dependency>(below({"depends_on", "b"}));
  expect_same<Port>(below({"ports", "[0]"}));
  expect_same<NetworkAttachment>(below({"networks", "n"}));
  expect_same<Mount>(below({"volumes", "[0]"}));
  expect_same<BindOptions>(below({"volumes", "[0]", "bind"}));
  expect_same<VolumeOptions>(below({"volumes", "[0]", "volume"}));
  expect_same<TmpfsOptions>(below({"volumes", "[0]", "tmpfs"}));
  expect_same<ImageOptions>(below({"volumes", "[0]", "image"}));
  expect_same<FileMount>(below({"configs", "[0]"}));
  expect_same<EnvFile>(below({"env_file", "[0]"}));
  expect_same<Device>(below({"devices", "[0]"}));
  expect_same<BlkioConfig>(below({"blkio_config"}));
  expect_same<WeightDevice>(below({"blkio_config", "weight_device", "[0]"}));
  expect_same<ThrottleDevice>(below({"blkio_config", "device_read_bps", "[0]"}));
  expect_same<DeviceRequest>(below({"gpus", "[0]"}));
  expect_same<Deploy>(below({"deploy"}));
  expect_same<UpdateConfig>(below({"deploy", "update_config"}));
  expect_same<DeployRestartPolicy>(below({"deploy", "restart_policy"}));
  expect_same<Placement>(below({"deploy", "placement"}));
  expect_same<Resource>(below({"deploy", "resources", "limits"}), {},
                        {"devices", "generic_resources"});
  expect_same<Resource>(below({"deploy", "resources", "reservations"}), {}, {"pids"});
  expect_same<WatchRule>(below({"develop", "watch", "[0]"}));
  expect_same<Logging>(below({"logging"}));
  expect_same<CredentialSpec>(below({"credential_spec"}));
  expect_same<Provider>(below({"provider"}));
  expect_same<ModelUse>(below({"models", "m"}));
  expect_same<Hook>(below({"pre_start", "[0]"}));
  expect_same<Hook>(below({"post_start", "[0]"}), {}, {"image", "per_replica"});
  expect_same<Network>({"networks", "n"});
  expect_same<Ipam>({"networks", "n", "ipam"});
  expect_same<IpamPool>({"networks", "n", "ipam", "config", "[0]"});
  expect_same<Volume>({"volumes", "v"});
  expect_same<FileObject>({"configs", "c"}, {}, {"driver", "driver_opts"});
  expect_same<FileObject>({"secrets", "s"}, {}, {"content"});
  expect_same<Model>({"models", "m"});
}

TEST(JsonSchema, SaysWhatTheTableSays) {
  const Json schema = json_schema();
  EXPECT_EQ(schema.at("type"), "object");
  EXPECT_EQ(schema.at("additionalProperties"), false);
  EXPECT_TRUE(schema.at("patternProperties").contains("^x-"));
  const Json& service =
      schema.at("properties").at("services").at("patternProperties").at("^[a-zA-Z0-9._-]+$");
  EXPECT_EQ(service.at("properties").size(), rule_keys({"services", "a"}).size());
  const Json& ports = service.at("properties").at("ports");
  EXPECT_EQ(ports.at("type"), "array");
  EXPECT_EQ(ports.at("items").at("type"), (Json{"number", "string", "object"}));
  EXPECT_EQ(service.at("properties").at("stop_grace_period").at("format"), "duration");
  EXPECT_EQ(service.at("properties").at("oom_score_adj").at("minimum"), -1000);
  EXPECT_EQ(service.at("properties").at("cgroup").at("enum"), (Json{"host", "private"}));
  const Json& mount = service.at("properties").at("volumes").at("items");
  EXPECT_EQ(mount.at("required"), (Json{"type"}));
}

TEST(JsonSchema, EveryAttributeOfAServiceIsExplained) {
  for (const std::string& key : rule_keys({"services", "a"}))
    EXPECT_FALSE(attribute_help({"services", "a", key}).empty()) << key;
  for (const std::string& key : rule_keys({"services", "a", "build"}))
    EXPECT_FALSE(attribute_help({"services", "a", "build", key}).empty()) << key;
}

}  // namespace
}  // namespace manifests
