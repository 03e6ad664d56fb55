// Networks and volumes that several stacks use: `external: true` (Compose A7, A9).
#include <algorithm>

#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

/// Two stacks in one directory: compose.yaml and other.yaml.
class SharedTest : public support::StackTest {
 protected:
  void SetUp() override {
    support::StackTest::SetUp();
    shared_ = project() + "-shared";
  }
  void TearDown() override {
    if (two_) other({"down", "--volumes", "--timeout", "0"});
    stack({"down", "--volumes", "--timeout", "0"});
    if (made_) must({"network", "rm", shared_});
    support::StackTest::TearDown();
  }

  void make_network(std::vector<std::string> flags = {}) {
    flags.insert(flags.begin(), {"network", "create"});
    flags.push_back(shared_);
    EXPECT_EQ(must(flags), shared_ + "\n");
    made_ = true;
  }
  std::string with_network(std::string text) const {
    for (std::size_t at = 0; (at = text.find("SHARED")) != std::string::npos;)
      text.replace(at, 6, shared_);
    return text;
  }
  /// Brings both up: compose.yaml, and other.yaml as another project.
  void up_both(const std::string& one, const std::string& two) {
    manifest(with_network(one));
    up();
    std::string text = with_network(two);
    for (std::size_t at = 0; (at = text.find("IMAGE")) != std::string::npos;)
      text.replace(at, 5, support::kImage);
    write("other.yaml", text);
    two_ = true;
    EXPECT_THAT(other({"up", "-d"}), ExitsWith(0));
  }
  std::string other_project() const { return project() + "two"; }
  Output other(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"-f", "other.yaml", "-p", other_project()});
    return stack(arguments);
  }
  bool reaches(const std::string& from, const std::string& host) {
    return wait_until([&] { return probe(from, {"connect", host, "80"}).code == 0; }, seconds(5));
  }
  Output other_probe(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"exec", "-T", "db", "probe"});
    return other(arguments);
  }

  std::string shared_;
  bool made_ = false;
  bool two_ = false;
};

constexpr const char* kOne = R"(
services:
  web:
    image: IMAGE
    command: probe http 80 web
    networks: {default: , meeting: {aliases: [front]}}
  alone: {image: IMAGE, command: probe http 80 alone}
networks: {meeting: {external: true, name: SHARED}}
)";
constexpr const char* kTwo = R"(
services:
  db:
    image: IMAGE
    command: probe http 80 db
    networks: [meeting]
networks: {meeting: {external: true, name: SHARED}}
)";

TEST_F(SharedTest, StacksReachEachOtherByNameAndAddress) {
  make_network();
  up_both(kOne, kTwo);
  EXPECT_TRUE(reaches("web", "db"));
  EXPECT_THAT(ask("web", {"get", "db", "80"}), HasSubstr("name=db"));
  EXPECT_TRUE(reaches("web", other_project() + "-db-1"));
  for (const std::string& name : {std::string("web"), std::string("front"), project() + "-web-1"})
    EXPECT_TRUE(wait_until(
        [&] {
          return other_probe({"connect", name, "80"}).code == 0;
        },
        seconds(5)))
        << name;
  // What is on the first stack's own network alone stays out of sight.
  EXPECT_NE(other_probe({"connect", "alone", "80"}).code, 0);
  EXPECT_TRUE(reaches("web", "alone"));
}

TEST_F(SharedTest, NamesComeAndGoWithTheContainers) {
  make_network();
  up_both(kOne, kTwo);
  EXPECT_TRUE(reaches("web", "db"));
  EXPECT_THAT(other({"stop"}), ExitsWith(0));
  EXPECT_TRUE(wait_until([&] { return probe("web", {"resolve", "db"}).code != 0; }, seconds(5)));
  EXPECT_THAT(other({"start"}), ExitsWith(0));
  EXPECT_TRUE(reaches("web", "db"));
}

TEST_F(SharedTest, AnAdoptedStackIsStillReached) {
  make_network();
  up_both(kOne, kTwo);
  ASSERT_TRUE(reaches("web", "db"));
  const auto before = supervisor_pid();
  ASSERT_TRUE(before);
  for (int i = 0; i < 2; ++i)  // of both stacks
    if (const auto pid = supervisor_pid()) ::kill(*pid, SIGKILL);
  EXPECT_TRUE(reaches("web", "db"));
}

TEST_F(SharedTest, PortsAreReachedWhereTheSharedNetworkIsTheWayOut) {
  make_network();
  manifest(with_network(R"(
services:
  web:
    image: IMAGE
    command: probe http 80 web
    ports: ['127.0.0.1::80']
    networks: [meeting]
networks: {meeting: {external: true, name: SHARED}}
)"));
  up();
  const int port = published_port("web", 80);
  EXPECT_TRUE(wait_until([&] { return http_get("127.0.0.1", port).has_value(); }, seconds(5)));
}

TEST_F(SharedTest, OneDefaultRouteWhicheverNetworkGivesIt) {
  make_network();
  for (const char* priority : {"1", "-1"}) {
    manifest(with_network(std::string(R"(
services:
  web:
    image: IMAGE
    networks: {default: , meeting: {gw_priority: )") +
                          priority + "}}\nnetworks: {meeting: {external: true, name: SHARED}}\n"));
    up();
    const std::string routes = must({"exec", "-T", "web", "ip", "route"});
    const auto first = routes.find("default via ");
    ASSERT_NE(first, std::string::npos) << routes;
    EXPECT_EQ(routes.find("default via ", first + 1), std::string::npos) << routes;
    // eth0 is the network "default", eth1 "meeting": by name.
    const std::string device = *priority == '1' ? "dev eth1" : "dev eth0";
    EXPECT_THAT(routes.substr(first, routes.find('\n', first) - first), HasSubstr(device));
  }
}

TEST_F(SharedTest, DownLeavesTheNetworkAndRemovalIsRefusedWhileInUse) {
  make_network({"--label", "team=a"});
  up_both(kOne, kTwo);
  const Output refused = stack({"network", "rm", shared_});
  EXPECT_THAT(refused, ExitsWith(1));
  EXPECT_THAT(refused.err, AllOf(HasSubstr("is in use by container"), HasSubstr("down")));
  must({"down"});
  EXPECT_THAT(other({"down"}), ExitsWith(0));
  EXPECT_EQ(must({"network", "ls", "-q"}), shared_ + "\n");
  const auto shown = nlohmann::json::parse(must({"network", "inspect", shared_})).at(0);
  EXPECT_EQ(shown.at("Labels").at("team"), "a");
  EXPECT_TRUE(shown.at("Containers").empty());
  EXPECT_EQ(must({"network", "rm", shared_}), shared_ + "\n");
  made_ = false;
  EXPECT_EQ(must({"network", "ls", "-q"}), "");
}

TEST_F(SharedTest, AddressesAreThoseThatWereAskedFor) {
  make_network({"--subnet", "10.231.7.0/24", "--gateway", "10.231.7.254", "--ip-range",
                "10.231.7.64/26", "--aux-address", "router=10.231.7.64"});
  manifest(with_network(R"(
services:
  web: {image: IMAGE, networks: [meeting]}
  fixed: {image: IMAGE, networks: {meeting: {ipv4_address: 10.231.7.9}}}
networks: {meeting: {external: true, name: SHARED}}
)"));
  up();
  EXPECT_THAT(ask("web", {"addresses"}), HasSubstr("eth0 10.231.7.65"));
  EXPECT_THAT(ask("fixed", {"addresses"}), HasSubstr("eth0 10.231.7.9"));
  EXPECT_THAT(must({"exec", "-T", "web", "ip", "route"}), HasSubstr("via 10.231.7.254"));
}

TEST_F(SharedTest, AMissingNetworkIsNamedWithItsPlaceAndRemedy) {
  manifest(with_network(kTwo));
  const Output output = stack({"up", "-d"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, AllOf(HasSubstr("compose.yaml:7:"),
                                HasSubstr("network " + shared_ +
                                          " declared as external, but could not be found"),
                                HasSubstr("stack network create " + shared_)));
  EXPECT_TRUE(containers().empty());
}

TEST_F(SharedTest, BadNetworksAreRefusedWithoutATrace) {
  EXPECT_THAT(stack({"network", "create", "--subnet", "nonsense", shared_}), ExitsWith(1));
  EXPECT_THAT(stack({"network", "create", "--gateway", "10.1.1.1", shared_}), ExitsWith(1));
  EXPECT_THAT(stack({"network", "create", "-d", "overlay", shared_}), ExitsWith(1));
  EXPECT_THAT(stack({"network", "create", "../x"}), ExitsWith(1));
  EXPECT_THAT(stack({"network", "rm", "nothing"}), ExitsWith(1));
  EXPECT_EQ(must({"network", "ls", "-q"}), "");
  make_network();
  const Output twice = stack({"network", "create", shared_});
  EXPECT_THAT(twice, ExitsWith(1));
  EXPECT_THAT(twice.err, HasSubstr("already exists"));
}

TEST_F(SharedTest, AnExternalVolumeMustExistAndStays) {
  const std::string name = project() + "_kept";
  manifest(R"(
services: {a: {image: IMAGE, volumes: ['data:/data'], command: sh -c 'echo x >> /data/file'}}
volumes: {data: {external: true, name: )" +
           name + "}}\n");
  const Output missing = stack({"up", "-d"});
  EXPECT_THAT(missing, ExitsWith(1));
  EXPECT_THAT(missing.err, AllOf(HasSubstr("compose.yaml:3:"),
                                 HasSubstr("external volume \"" + name + "\" not found"),
                                 HasSubstr("stack volume create " + name)));
  EXPECT_EQ(must({"volume", "create", "--label", "a=b", name}), name + "\n");
  up();
  EXPECT_TRUE(wait_until([&] { return state("a") == "exited"; }));
  must({"down", "--volumes"});
  EXPECT_THAT(must({"volume", "ls", "-q"}), HasSubstr(name));
  EXPECT_EQ(os::read_file(data_directory() + "/volumes/" + name + "/_data/file"), "x\n");
  must({"volume", "rm", name});
}

}  // namespace
}  // namespace e2e
