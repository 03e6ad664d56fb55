// `pull`, `push` and `up` against a registry that misbehaves: it breaks off, lies about digests and
// lengths, is busy, broken or slow, and leads elsewhere. Nothing half made may stay behind.
#include <openssl/sha.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/support/fake_registry.hpp"
#include "tests/support/registry_server.hpp"
#include "tests/support/stack_fixture.hpp"
#include "tests/support/tar_builder.hpp"

namespace e2e {
namespace {

using support::FakeRegistry;
using support::HttpServer;
using support::ServedAnswer;
using support::ServedRequest;

constexpr std::size_t kLayer = 1'000'000;
constexpr const char* kManifestType = "application/vnd.oci.image.manifest.v1+json";

std::string digest_of(const std::string& bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  ::SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data());
  std::string text = "sha256:";
  for (const unsigned char byte : hash) {
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 15U];
  }
  return text;
}

/// A tar with one file whose bytes do not repeat.
std::string layer_of(const std::string& name, unsigned seed) {
  std::string content(kLayer, '\0');
  for (char& c : content) {
    seed = seed * 1664525U + 1013904223U;
    c = static_cast<char>(seed >> 24U);
  }
  return support::TarBuilder().file(name, content).finish();
}

bool is_about(const ServedRequest& request, const std::string& digest) {
  return request.path.find("/blobs/" + digest) != std::string::npos;
}

std::size_t begin_of(const ServedRequest& request) {
  const std::string range = request.header("range");
  return range.empty() ? 0 : std::stoul(range.substr(range.find('=') + 1));
}

class RegistryFaultsTest : public support::StackTest {
 protected:
  /// An image of one layer as app:1. Returns the digest of its manifest.
  std::string publish() {
    json config = {{"architecture", "amd64"},
                   {"os", "linux"},
                   {"config", {{"Cmd", {"/x"}}}},
                   {"rootfs", {{"type", "layers"}, {"diff_ids", {digest_of(layer_)}}}}};
    const std::string text = config.dump();
    const json manifest = {{"schemaVersion", 2},
                           {"mediaType", kManifestType},
                           {"config",
                            {{"mediaType", "application/vnd.oci.image.config.v1+json"},
                             {"digest", registry_.add_blob(text)},
                             {"size", text.size()}}},
                           {"layers",
                            {{{"mediaType", "application/vnd.oci.image.layer.v1.tar"},
                              {"digest", registry_.add_blob(layer_)},
                              {"size", layer_.size()}}}}};
    return registry_.add_manifest("1", manifest.dump(), kManifestType);
  }
  std::string name() const { return registry_.host() + "/app:1"; }
  std::string layer_digest() const { return digest_of(layer_); }

  std::vector<std::string> files(const std::string& directory) const {
    return os::list_directory(data_directory() + "/images/" + directory);
  }
  /// The image is there, and every byte of it.
  void expect_whole() {
    EXPECT_THAT(stack({"image", "inspect", name()}), ExitsWith(0));
    EXPECT_THAT(files("downloads"), IsEmpty());
    bool found = false;
    for (const std::string& layer : files("layers")) {
      const std::string file = data_directory() + "/images/layers/" + layer + "/diff/f";
      if (!os::exists(file)) continue;
      found = true;
      EXPECT_TRUE(layer_.find(os::read_file(file)) != std::string::npos);
    }
    EXPECT_TRUE(found) << "the layer was not unpacked";
    expect_sound();
  }
  /// The command failed in words that say why, and no image is there.
  void expect_refused(const Output& output, const std::string& why) {
    EXPECT_THAT(output, ExitsWith(1));
    EXPECT_THAT(output.err, HasSubstr(why));
    EXPECT_THAT(stack({"image", "inspect", name()}), ExitsWith(1));
    EXPECT_EQ(files("layers").size(), layers_before_);
    expect_sound();
  }
  void expect_sound() { EXPECT_THAT(must({"doctor"}), HasSubstr("all is well")); }
  /// What a command left that ended in the middle is taken away, and nothing else is amiss.
  void expect_repaired() {
    EXPECT_THAT(must({"doctor"}), AnyOf(HasSubstr("all is well"),
                                        ContainerEq<std::string>("repaired: 1 unfinished work of "
                                                                 "commands that are gone\n")));
    expect_sound();
  }

  void SetUp() override {
    StackTest::SetUp();
    layers_before_ = files("layers").size();
  }
  /// Answers every request about the layer.
  void on_layer(std::function<std::optional<ServedAnswer>(const ServedRequest&)> answer) {
    registry_.hook = [this, answer](const ServedRequest& request) -> std::optional<ServedAnswer> {
      return is_about(request, layer_digest()) ? answer(request) : std::nullopt;
    };
  }

  std::string layer_ = layer_of("f", 1);
  std::size_t layers_before_ = 0;
  FakeRegistry registry_{digest_of};
};

TEST_F(RegistryFaultsTest, CutConnectionsGoOnWhereTheyBroke) {
  publish();
  std::vector<std::size_t> begins;
  on_layer([&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    const std::size_t from = begin_of(request);
    begins.push_back(from);
    if (begins.size() > 3) return std::nullopt;
    return ServedAnswer{
        .status = from == 0 ? 200 : 206, .body = layer_.substr(from), .cut_after = 300'000};
  });
  must({"pull", name()});
  EXPECT_THAT(begins, ElementsAre(0U, 300'000U, 600'000U, 900'000U));
  expect_whole();
}

TEST_F(RegistryFaultsTest, AKilledPullGoesOnWhereItWas) {
  publish();
  on_layer([&](const ServedRequest&) -> std::optional<ServedAnswer> {
    return ServedAnswer{.body = layer_, .pause = milliseconds(100)};
  });
  Command pull = start({"pull", name()});
  const std::string part =
      data_directory() + "/images/downloads/" + layer_digest().substr(7) + ".part";
  ASSERT_TRUE(wait_until([&] {
    std::error_code none;
    return std::filesystem::file_size(part, none) >= 65'536 && !none;
  }));
  pull.send_signal(SIGKILL);
  pull.wait();
  EXPECT_THAT(stack({"image", "inspect", name()}), ExitsWith(1));
  expect_repaired();
  std::size_t from = 0;
  on_layer([&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    from = begin_of(request);
    return std::nullopt;
  });
  must({"pull", name()});
  EXPECT_GE(from, 65'536U);
  expect_whole();
}

TEST_F(RegistryFaultsTest, ASlowRegistryCanBeLeft) {
  publish();
  on_layer([&](const ServedRequest&) -> std::optional<ServedAnswer> {
    return ServedAnswer{.body = layer_, .pause = milliseconds(200)};
  });
  Command pull = start({"pull", name()});
  ASSERT_TRUE(wait_until([&] { return registry_.server().count("GET", layer_digest()) > 0; }));
  pull.send_signal(SIGINT);
  EXPECT_THAT(pull.wait(), ExitsWith(130));
  EXPECT_THAT(stack({"image", "inspect", name()}), ExitsWith(1));
  expect_repaired();
  registry_.hook = {};
  must({"pull", name()});
  expect_whole();
}

TEST_F(RegistryFaultsTest, ASlowRegistryIsWaitedFor) {
  publish();
  on_layer([&](const ServedRequest&) -> std::optional<ServedAnswer> {
    return ServedAnswer{.body = layer_, .pause = milliseconds(30)};
  });
  must({"pull", name()});
  EXPECT_EQ(registry_.server().count("GET", layer_digest()), 1);
  expect_whole();
}

TEST_F(RegistryFaultsTest, WrongBytesAreRefused) {
  publish();
  on_layer([&](const ServedRequest&) -> std::optional<ServedAnswer> {
    std::string other = layer_;
    other[500'000] = static_cast<char>(other[500'000] ^ 1);
    return ServedAnswer{.body = other};
  });
  const Output output = stack({"pull", name()});
  expect_refused(output, "another digest");
  EXPECT_THAT(output.err, HasSubstr(layer_digest()));
  EXPECT_EQ(registry_.server().count("GET", layer_digest()), 2) << "once more, from its beginning";
}

TEST_F(RegistryFaultsTest, ALayerThatTheConfigDoesNotNameIsRefused) {
  publish();
  json manifest = json::parse(*registry_.manifest("1"));
  const std::string other = layer_of("f", 2);
  manifest["layers"][0]["digest"] = registry_.add_blob(other);
  registry_.add_manifest("1", manifest.dump(), kManifestType);
  expect_refused(stack({"pull", name()}), "where the image says");
}

TEST_F(RegistryFaultsTest, AWrongManifestIsRefused) {
  const std::string digest = publish();
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.path.find("/manifests/") == std::string::npos) return std::nullopt;
    return ServedAnswer{.headers = {{"Docker-Content-Digest", digest}},
                        .body = *registry_.manifest("1") + "\n"};
  };
  expect_refused(stack({"pull", registry_.host() + "/app@" + digest}), "something else");
  registry_.hook = [](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.path.find("/manifests/") == std::string::npos) return std::nullopt;
    return ServedAnswer{.headers = {{"Content-Type", kManifestType}},
                        .body = "{\"x\":\"" + std::string(5'000'000, 'x') + "\"}"};
  };
  expect_refused(stack({"pull", name()}), "more than 4194304 bytes");
  registry_.hook = [](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.path.find("/manifests/") == std::string::npos) return std::nullopt;
    return ServedAnswer{.headers = {{"Content-Type", "text/html"}}, .body = "<html>Welcome</html>"};
  };
  expect_refused(stack({"pull", name()}), "not valid JSON");
}

TEST_F(RegistryFaultsTest, MoreThanAnnouncedIsRefused) {
  publish();
  on_layer([&](const ServedRequest&) -> std::optional<ServedAnswer> {
    return ServedAnswer{.body = layer_ + std::string(500'000, 'x')};
  });
  expect_refused(stack({"pull", name()}), "more than the");
}

TEST_F(RegistryFaultsTest, LessThanAnnouncedIsRefused) {
  publish();
  on_layer([&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    const std::size_t from = std::min<std::size_t>(begin_of(request), 400'000);
    return ServedAnswer{.status = from == 0 ? 200 : 206,
                        .body = layer_.substr(from, 400'000 - from)};
  });
  expect_refused(stack({"pull", name()}), "it ends after 400000 of");
}

TEST_F(RegistryFaultsTest, BusyAndBrokenRegistriesAreAskedAgain) {
  using Clock = std::chrono::steady_clock;
  publish();
  int manifests = 0;
  std::vector<Clock::time_point> blobs;
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.method == "GET" && request.path.find("/manifests/") != std::string::npos &&
        ++manifests == 1)
      return ServedAnswer{.status = 503, .body = "<html>out of order</html>"};
    if (!is_about(request, layer_digest())) return std::nullopt;
    blobs.push_back(Clock::now());
    if (blobs.size() == 1) return ServedAnswer{.status = 429, .headers = {{"Retry-After", "2"}}};
    if (blobs.size() == 2) return ServedAnswer{.status = 502};
    return std::nullopt;
  };
  must({"pull", name()});
  EXPECT_EQ(manifests, 2);
  ASSERT_EQ(blobs.size(), 3U);
  EXPECT_GE(blobs[1] - blobs[0], seconds(2)) << "as long as the registry asked for";
  expect_whole();
}

TEST_F(RegistryFaultsTest, ARegistryThatStaysBrokenIsGivenUp) {
  publish();
  registry_.hook = [](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.path == "/v2/") return std::nullopt;
    return ServedAnswer{.status = 500, .body = "the disk of the registry is full\n"};
  };
  const Output output = stack({"pull", name()});
  expect_refused(output, "the disk of the registry is full");
  EXPECT_THAT(output.err, HasSubstr(name()));
}

TEST_F(RegistryFaultsTest, UpSaysWhichServiceCannotHaveItsImage) {
  publish();
  on_layer([](const ServedRequest&) -> std::optional<ServedAnswer> {
    return ServedAnswer{.status = 404};
  });
  manifest("services:\n  good: {image: IMAGE}\n  bad: {image: '" + name() + "'}\n");
  const Output output = stack({"up", "-d"});
  expect_refused(output, name());
  EXPECT_THAT(output.err, HasSubstr("404"));
  EXPECT_THAT(containers(), IsEmpty());
  expect_nothing_left();
}

TEST_F(RegistryFaultsTest, PasswordsStayAtTheirRegistry) {
  publish();
  HttpServer elsewhere([&](const ServedRequest& request) {
    if (request.method == "GET") return ServedAnswer{.body = layer_};
    return ServedAnswer{.status = 201};
  });
  write("password", "secret\n");
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.header("authorization") != "Basic bWU6c2VjcmV0")
      return ServedAnswer{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"r\""}}};
    if (is_about(request, layer_digest()) && request.method == "GET")
      return ServedAnswer{.status = 307, .headers = {{"Location", elsewhere.url() + "/x?sig=1"}}};
    if (request.method == "POST")
      return ServedAnswer{.status = 202, .headers = {{"Location", elsewhere.url() + "/upload"}}};
    return std::nullopt;
  };
  CommandOptions password;
  password.input = directory() + "/password";
  ASSERT_THAT(stack({"login", "-u", "me", "--password-stdin", registry_.host()}, password),
              ExitsWith(0));
  must({"pull", name()});
  expect_whole();
  const std::string other = registry_.host() + "/other:1";
  must({"tag", "test", other});
  must({"push", other});
  EXPECT_GE(elsewhere.count("GET", "/x"), 1);
  EXPECT_GE(elsewhere.count("PUT", "/upload"), 1);
  for (const ServedRequest& request : elsewhere.requests())
    EXPECT_EQ(request.header("authorization"), "");
}

TEST_F(RegistryFaultsTest, RedirectsThatLeadNowhereEnd) {
  publish();
  on_layer([](const ServedRequest& request) -> std::optional<ServedAnswer> {
    return ServedAnswer{.status = 302, .headers = {{"Location", request.path}}};
  });
  expect_refused(stack({"pull", name()}), "in circles");
  on_layer([](const ServedRequest&) -> std::optional<ServedAnswer> {
    return ServedAnswer{.status = 302, .headers = {{"Location", "file:///etc/shadow"}}};
  });
  expect_refused(stack({"pull", name()}), "file:///etc/shadow");
}

TEST_F(RegistryFaultsTest, NothingThatWasEncryptedIsFetchedInTheOpen) {
  publish();
  const std::string files = directory() + "/served";
  os::make_directories(files + "/v2/app/manifests", 0700);
  os::write_file_atomic(files + "/v2/app/manifests/1",
                        "HTTP/1.1 307 Elsewhere\r\nLocation: http://" + registry_.host() +
                            "/v2/app/manifests/1\r\nContent-Length: 0\r\n\r\n");
  support::openssl({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=127.0.0.1", "-keyout", "key", "-out", "certificate"},
                   files);
  CommandOptions options;
  options.working_directory = files;
  Command server({"/usr/bin/openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", "certificate",
                  "-key", "key", "-HTTP"},
                 options);
  ASSERT_TRUE(server.wait_for_output("ACCEPT 127.0.0.1:"));
  std::string port = server.out().substr(server.out().find("127.0.0.1:") + 10);
  port.resize(port.find_first_not_of("0123456789"));
  expect_refused(stack({"pull", "127.0.0.1:" + port + "/app:1"}), "which is not encrypted");
  EXPECT_THAT(registry_.server().requests(), IsEmpty());
}

TEST_F(RegistryFaultsTest, PushesGoOnAfterABreak) {
  const std::string image = registry_.host() + "/pushed:1";
  must({"tag", "test", image});
  int uploads = 0;
  int manifests = 0;
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.method != "PUT") return std::nullopt;
    const bool is_manifest = request.path.find("/manifests/") != std::string::npos;
    if (is_manifest && ++manifests == 1) return ServedAnswer{.status = 503};
    if (!is_manifest && ++uploads == 1) return ServedAnswer{.body = "x", .length = 100};
    if (!is_manifest && uploads == 2)
      return ServedAnswer{.status = 429, .headers = {{"Retry-After", "1"}}};
    return std::nullopt;
  };
  EXPECT_THAT(must({"push", image}), HasSubstr("digest: sha256:"));
  EXPECT_EQ(manifests, 2);
  ASSERT_TRUE(registry_.manifest("1"));
  const json document = json::parse(*registry_.manifest("1"));
  for (const json& layer : document["layers"])
    EXPECT_TRUE(registry_.blobs().contains(layer["digest"]));
  EXPECT_TRUE(registry_.blobs().contains(document["config"]["digest"]));
  must({"rmi", image});
}

TEST_F(RegistryFaultsTest, APushThatFailsSaysWhy) {
  const std::string image = registry_.host() + "/pushed:1";
  must({"tag", "test", image});
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.method != "PUT") return std::nullopt;
    return ServedAnswer{
        .status = 413,
        .body = R"({"errors":[{"code":"SIZE_INVALID","message":"blob is too large"}]})"};
  };
  const Output output = stack({"push", image});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, HasSubstr("blob is too large"));
  EXPECT_FALSE(registry_.manifest("1")) << "no manifest of what is not there";
  expect_sound();
}

}  // namespace
}  // namespace e2e
