// `pull`, `push`, `login` and images that `up` fetches, against a real registry: open, with TLS and
// a password, and behind a token server.
#include <filesystem>

#include "tests/support/http_server.hpp"
#include "tests/support/registry_server.hpp"
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

using support::RegistryServer;

class RegistryTest : public support::StackTest {
 protected:
  void SetUp() override {
    StackTest::SetUp();
    ASSERT_TRUE(support::has_registry_server())
        << "docker-registry is not installed: .ci/install tests";
  }
  // Makes `name` the image of the tests, pushes it and forgets it here.
  void publish(const std::string& name) {
    must({"tag", "test", name});
    must({"push", name});
    must({"rmi", name});
  }
  std::string id_of(const std::string& name) const {
    const Output output = stack({"image", "inspect", "--format", "{{.Id}}", name});
    return output.code == 0 ? output.out : "";
  }
  std::vector<std::string> files(const std::string& directory) const {
    return os::list_directory(data_directory() + "/images/" + directory);
  }
};

TEST_F(RegistryTest, PushedImagesComeBackTheSame) {
  RegistryServer registry;
  const std::string name = registry.host() + "/team/app:1";
  const std::string id = id_of("test");
  must({"tag", "test", name});
  const std::string pushed = must({"push", name});
  EXPECT_THAT(pushed, HasSubstr("digest: sha256:"));
  must({"rmi", "--force", "test", name});
  EXPECT_THAT(files("layers"), IsEmpty());
  must({"pull", name});
  EXPECT_EQ(id_of(name), id);
  EXPECT_THAT(files("downloads"), IsEmpty());
  EXPECT_THAT(must({"doctor"}), HasSubstr("all is well"));
  // What another repository of the registry has goes nowhere twice.
  const std::string other = registry.host() + "/team/other:1";
  must({"tag", name, other});
  must({"push", other});
  EXPECT_GE(registry.count("mount="), 1);
}

TEST_F(RegistryTest, UpFetchesWhatIsMissing) {
  RegistryServer registry;
  const std::string name = registry.host() + "/app:1";
  publish(name);
  manifest("services: {a: {image: '" + name + "'}, b: {image: '" + name + "'}}\n");
  const Output offline = stack({"up", "-d", "--offline"});
  EXPECT_THAT(offline, ExitsWith(1));
  EXPECT_THAT(offline.err,
              AllOf(HasSubstr("compose.yaml:1:"), HasSubstr("no such image: " + name)));
  EXPECT_THAT(stack({"up", "-d", "--pull", "never"}), ExitsWith(1));
  const Output up = stack({"up", "-d"});
  ASSERT_THAT(up, ExitsWith(0));
  EXPECT_THAT(up.err, HasSubstr("Pulled"));
  EXPECT_EQ(ask("a", {"cat", "/seed/file"}), ask("b", {"cat", "/seed/file"}));
  EXPECT_THAT(stack({"up", "-d"}).err, Not(HasSubstr("Pull")));
  EXPECT_THAT(stack({"up", "-d", "--pull", "always"}).err, HasSubstr("Up to date"));
  EXPECT_THAT(stack({"run", "--rm", "-T", "--pull", "always", "a", "probe", "env", "HOME"}).err,
              HasSubstr("Up to date"));
}

TEST_F(RegistryTest, PullPolicyOfTheFile) {
  RegistryServer registry;
  const std::string name = registry.host() + "/app:1";
  publish(name);
  manifest("services: {a: {image: '" + name + "', pull_policy: never}}\n");
  EXPECT_THAT(stack({"up", "-d"}), ExitsWith(1));
  manifest("services: {a: {image: '" + name + "', pull_policy: always}}\n");
  EXPECT_THAT(stack({"up", "-d"}).err, HasSubstr("Pulled"));
  EXPECT_THAT(stack({"up", "-d"}).err, HasSubstr("Up to date"));
  manifest("services: {a: {image: '" + name + "', pull_policy: daily}}\n");
  EXPECT_THAT(stack({"up", "-d"}).err, Not(HasSubstr("Pull")));
}

TEST_F(RegistryTest, BuildsFetchWhatTheyStandOn) {
  RegistryServer registry;
  const std::string base = registry.host() + "/base:1";
  const std::string tools = registry.host() + "/tools:1";
  publish(base);
  publish(tools);
  write("Dockerfile", "FROM " + base + "\nCOPY --from=" + tools + " /seed/file /copied\n");
  const Output built = stack({"build", "--progress", "plain", "-t", "made", directory()});
  ASSERT_THAT(built, ExitsWith(0));
  EXPECT_THAT(built.err, AllOf(HasSubstr("pull " + base), HasSubstr("pull " + tools)));
  EXPECT_THAT(stack({"build", "--progress", "plain", "-t", "made", directory()}).err,
              Not(HasSubstr("pull ")));
  EXPECT_THAT(stack({"build", "--progress", "plain", "--pull", "-t", "made", directory()}).err,
              AllOf(HasSubstr("pull " + base), HasSubstr("CACHED")));
  write("Dockerfile", "FROM " + registry.host() + "/nothing:1\n");
  EXPECT_THAT(stack({"build", "-t", "made", directory()}).err,
              AllOf(HasSubstr("Dockerfile:1"), HasSubstr("no such image")));
}

TEST_F(RegistryTest, UpBuildsWhatItCannotFetch) {
  RegistryServer registry;
  const std::string name = registry.host() + "/app:1";
  write("Dockerfile", "FROM test\nRUN echo built > /how\n");
  // One service builds it, the other only runs it; nobody asks the registry for it.
  manifest("services: {a: {build: ., image: '" + name + "'}, b: {image: '" + name + "'}}\n");
  EXPECT_THAT(stack({"up", "-d", "--offline"}).err, HasSubstr("stack build a"));
  EXPECT_THAT(stack({"up", "-d", "--no-build"}), ExitsWith(1));
  ASSERT_THAT(stack({"up", "-d"}), ExitsWith(0));
  EXPECT_EQ(registry.count("GET /v2"), 0);
  EXPECT_EQ(ask("b", {"cat", "/how"}), "built\n");
  must({"down", "--rmi", "all"});
  // The file says to fetch it, and there is none: then it is built.
  manifest("services: {a: {build: ., image: '" + name + "', pull_policy: missing}}\n");
  ASSERT_THAT(stack({"up", "-d"}), ExitsWith(0));
  EXPECT_GT(registry.count("GET /v2"), 0);
  must({"push"});
  must({"down", "--rmi", "all"});
  const Output up = stack({"up", "-d"});
  ASSERT_THAT(up, ExitsWith(0));
  EXPECT_THAT(up.err, HasSubstr("Pulled"));
  EXPECT_EQ(ask("a", {"cat", "/how"}), "built\n");
}

TEST_F(RegistryTest, PullTakesServicesAndImages) {
  RegistryServer registry;
  const std::string name = registry.host() + "/app:1";
  publish(name);
  manifest("services: {a: {image: '" + name + "'}, b: {image: 'localhost:1/none'}}\n");
  must({"pull", "a"});
  EXPECT_NE(id_of(name), "");
  const Output all = stack({"pull"});
  EXPECT_THAT(all, ExitsWith(1));
  EXPECT_THAT(all.err, AllOf(HasSubstr("compose.yaml:1:"), HasSubstr("service \"b\"")));
  EXPECT_THAT(stack({"pull", "--ignore-pull-failures"}), ExitsWith(0));
  EXPECT_THAT(stack({"pull", "c"}), ExitsWith(1));
  const Output unknown = stack({"pull", registry.host() + "/nothing:1"});
  EXPECT_THAT(unknown, ExitsWith(1));
  EXPECT_THAT(unknown.err, HasSubstr("stack login"));
}

TEST_F(RegistryTest, WithTlsAndAPassword) {
  RegistryServer registry({.tls = true, .user = "me", .password = "secret"});
  const std::string name = registry.host() + "/app:1";
  must({"tag", "test", name});
  // Nobody vouches for the certificate, which this machine itself is forgiven; the password is not.
  EXPECT_THAT(stack({"push", name}).err, HasSubstr("stack login " + registry.host()));
  // A directory of authorities ends that: another authority's word counts nothing.
  const std::string certificates =
      environment().at("HOME") + "/.config/containers/certs.d/" + registry.host();
  os::make_directories(certificates, 0700);
  support::openssl({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=other", "-keyout", "other.key", "-out", certificates + "/ca.crt"},
                   directory());
  EXPECT_THAT(stack({"push", name}).err, HasSubstr("certificate"));
  os::write_file_atomic(certificates + "/ca.crt", os::read_file(registry.authority()));
  CommandOptions wrong;
  wrong.input = directory() + "/wrong";
  write("wrong", "guess\n");
  const std::vector<std::string> login{"login", "-u", "me", "--password-stdin", registry.host()};
  EXPECT_THAT(stack(login, wrong), ExitsWith(1));
  CommandOptions right;
  right.input = directory() + "/right";
  write("right", "secret\n");
  ASSERT_THAT(stack(login, right), ExitsWith(0));
  const std::string config = environment().at("HOME") + "/.docker/config.json";
  EXPECT_EQ(std::filesystem::status(config).permissions(), std::filesystem::perms(0600));
  publish(name);
  must({"pull", name});
  must({"logout", registry.host()});
  EXPECT_THAT(stack({"pull", name}), ExitsWith(1));
}

TEST_F(RegistryTest, AHelperThatFailsDoesNotStandInTheWay) {
  RegistryServer registry;
  os::make_directories(environment().at("HOME") + "/.docker", 0700);
  os::write_file_atomic(environment().at("HOME") + "/.docker/config.json",
                        R"({"credsStore":"that-is-not-there"})");
  publish(registry.host() + "/app:1");
  EXPECT_THAT(stack({"pull", registry.host() + "/app:1"}), ExitsWith(0));
}

// Signs tokens as the registry wants them (JWT, RS256, with the certificate in the header).
class TokenServer {
 public:
  explicit TokenServer(const std::string& directory) : directory_(directory) {
    support::openssl({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                      "/CN=tokens", "-keyout", "token.key", "-out", "token.crt"},
                     directory);
    support::openssl({"x509", "-in", "token.crt", "-outform", "DER", "-out", "token.der"},
                     directory);
  }
  std::string realm() const { return server_.url() + "/token"; }
  std::string authority() const { return directory_ + "/token.crt"; }
  const support::HttpServer& server() const { return server_; }

 private:
  std::string base64(const std::string& bytes, bool url) const {
    std::string text = support::openssl({"base64", "-A"}, directory_, bytes);
    if (!url) return text;
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text.substr(0, text.find('='));
  }

  // "scope=repository%3Aapp%3Apull" as the access that it asks for.
  static json access_of(const std::string& query) {
    json access = json::array();
    for (std::size_t at = 0; (at = query.find("scope=", at)) != std::string::npos; ++at) {
      std::string scope = query.substr(at + 6, query.find('&', at) - at - 6);
      for (const auto& [from, to] : {std::pair{"%3A", ":"}, {"%2F", "/"}, {"%2C", ","}})
        for (std::size_t hit = 0; (hit = scope.find(from)) != std::string::npos;)
          scope.replace(hit, 3, to);
      const std::size_t last = scope.rfind(':');
      json actions = json::array();
      std::istringstream list(scope.substr(last + 1));
      for (std::string action; std::getline(list, action, ',');) actions.push_back(action);
      access.push_back(
          {{"type", "repository"}, {"name", scope.substr(11, last - 11)}, {"actions", actions}});
    }
    return access;
  }

  support::ServedAnswer answer(const support::ServedRequest& request) const {
    if (request.header("authorization") != "Basic bWU6c2VjcmV0") return {.status = 401};
    const auto now = std::time(nullptr);
    const json header = {{"typ", "JWT"},
                         {"alg", "RS256"},
                         {"x5c", {base64(os::read_file(directory_ + "/token.der"), false)}}};
    const json claims = {
        {"iss", "tests"},  {"sub", "me"}, {"aud", "test"}, {"exp", now + 300},
        {"nbf", now - 60}, {"iat", now},  {"jti", "1"},    {"access", access_of(request.query)}};
    const std::string text = base64(header.dump(), true) + "." + base64(claims.dump(), true);
    const std::string signature =
        support::openssl({"dgst", "-sha256", "-sign", "token.key"}, directory_, text);
    return {.body =
                json{{"token", text + "." + base64(signature, true)}, {"expires_in", 300}}.dump()};
  }

  std::string directory_;
  support::HttpServer server_{
      [this](const support::ServedRequest& request) { return answer(request); }};
};

TEST_F(RegistryTest, BehindATokenServer) {
  const TokenServer tokens(directory());
  RegistryServer registry({.token_realm = tokens.realm(), .token_authority = tokens.authority()});
  const std::string name = registry.host() + "/team/app:1";
  must({"tag", "test", name});
  EXPECT_THAT(stack({"push", name}), ExitsWith(1));
  CommandOptions right;
  right.input = directory() + "/right";
  write("right", "secret\n");
  ASSERT_THAT(stack({"login", "-u", "me", "--password-stdin", registry.host()}, right),
              ExitsWith(0));
  publish(name);
  must({"pull", name});
  // Mounting needs to see the other repository, too.
  const std::string other = registry.host() + "/team/other:1";
  must({"tag", name, other});
  must({"push", other});
  EXPECT_GE(registry.count("mount="), 1);
}

TEST_F(RegistryTest, APullKilledAnywhereLeavesNoHalfImage) {
  RegistryServer registry;
  const std::string name = registry.host() + "/app:1";
  // Not a trifle: 20 MB that do not compress.
  must({"tag", "test", name});
  publish(name);
  for (int delay = 5; delay <= 155; delay += 10) {
    support::Command pull = start({"pull", name});
    ::usleep(static_cast<useconds_t>(delay) * 1000);
    pull.send_signal(SIGKILL);
    pull.wait();
    const Output doctor = stack({"doctor"});
    EXPECT_THAT(doctor, ExitsWith(0)) << "killed after " << delay << " ms";
    EXPECT_THAT(doctor.out, Not(HasSubstr("problem")));
    if (id_of(name).empty()) continue;
    EXPECT_EQ(id_of(name), id_of("test"));
    must({"rmi", name});
  }
  must({"pull", name});
  EXPECT_EQ(id_of(name), id_of("test"));
}

}  // namespace
}  // namespace e2e
