#include "runtime/image/pull.hpp"

#include <thread>

#include "tests/unit/runtime/image/compress.hpp"
#include "tests/unit/runtime/image/registry_fixture.hpp"

namespace image {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using PullTest = RegistryTest;

TEST_F(PullTest, AnImageOfSeveralLayers) {
  const std::string digest = publish("1", {tar_of("base", "b"), tar_of("top", "t")});
  const PullResult result = pull_it();
  EXPECT_EQ(result.digest.text(), digest);
  EXPECT_TRUE(result.changed);
  EXPECT_EQ(content(result.image, "top"), "t");
  EXPECT_THAT(result.image.names, ElementsAre(reference("app:1").text()));
  EXPECT_THAT(downloads(), IsEmpty());
  expect_sound();
}

TEST_F(PullTest, ASecondPullFetchesNothing) {
  publish("1", {tar_of("base", "b")});
  pull_it();
  const int before = registry_.server().count("GET", "/blobs/");
  EXPECT_FALSE(pull_it().changed);
  EXPECT_EQ(registry_.server().count("GET", "/blobs/"), before);
}

TEST_F(PullTest, WhatImagesShareIsFetchedOnce) {
  const std::string base = tar_of("base", "b");
  publish("1", {base, tar_of("one", "1")});
  publish("2", {base, tar_of("two", "2")});
  pull_it("app:1");
  pull_it("app:2");
  EXPECT_EQ(registry_.server().count("GET", Digest::of(base).text()), 1);
  EXPECT_EQ(layers().size(), 3U);
}

TEST_F(PullTest, TheSameLayerTwiceIsFetchedOnce) {
  const std::string layer = tar_of("f", "x");
  publish("1", {layer, layer});
  EXPECT_EQ(pull_it().image.diff_ids.size(), 2U);
  EXPECT_EQ(registry_.server().count("GET", Digest::of(layer).text()), 1);
}

TEST_F(PullTest, TwoPullsShareTheWork) {
  const std::string layer = big_layer("f", 3'000'000);
  publish("1", {layer});
  registry_.hook = [](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.path.find("/blobs/") != std::string::npos)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return std::nullopt;
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([this] {
      Store store(root());
      EXPECT_TRUE(pull(store, reference("app:1"), options()).image.size > 0);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(registry_.server().count("GET", Digest::of(layer).text()), 1);
  EXPECT_EQ(layers().size(), 1U);
  EXPECT_THAT(downloads(), IsEmpty());
  expect_sound();
}

TEST_F(PullTest, ByDigest) {
  const std::string digest = publish("1", {tar_of("f", "x")});
  EXPECT_EQ(pull_it("app@" + digest).digest.text(), digest);
  const auto found = store_.find(reference("app@" + digest).text());
  ASSERT_TRUE(found);
  EXPECT_THAT(found->names, ElementsAre(reference("app@" + digest).text()));
  EXPECT_FALSE(store_.find(reference("other@" + digest).text()));
}

TEST_F(PullTest, OfAnIndexTheOneThatRunsHere) {
  const std::string ours = publish("ours", {tar_of("f", "amd")}, "amd64");
  const std::string theirs = publish("theirs", {tar_of("f", "arm")}, "arm64");
  const auto entry = [&](const std::string& digest, const std::string& architecture) {
    return nlohmann::json{{"mediaType", media_type::kManifest},
                          {"digest", digest},
                          {"size", registry_.manifest(digest)->size()},
                          {"platform", {{"os", "linux"}, {"architecture", architecture}}}};
  };
  const nlohmann::json index = {{"schemaVersion", 2},
                                {"mediaType", media_type::kIndex},
                                {"manifests", {entry(theirs, "arm64"), entry(ours, "amd64")}}};
  const std::string digest =
      registry_.add_manifest("many", index.dump(), std::string(media_type::kIndex));
  const PullResult result = pull_it("app:many");
  EXPECT_EQ(result.digest.text(), digest);
  EXPECT_EQ(result.image.manifest.text(), ours);
  EXPECT_TRUE(store_.find(reference("app@" + digest).text())) << "by the index's digest as well";
  EXPECT_EQ(pull_record(store_, reference("app:many"))->digest.text(), digest);
  PullOptions arm = options();
  arm.platform = Platform{"linux", "arm64", ""};
  EXPECT_EQ(pull(store_, reference("app:many"), arm).image.manifest.text(), theirs);
  arm.platform = Platform{"linux", "s390x", ""};
  EXPECT_THROW(pull(store_, reference("app:many"), arm), os::Error);
}

TEST_F(PullTest, AnImageForAnotherMachineOnlyWhenNobodyAskedForOurs) {
  publish("1", {tar_of("f", "x")}, "s390x");
  EXPECT_THAT(failure_of(), HasSubstr("only one for linux/s390x"));
  PullOptions any = options();
  any.platform.reset();
  EXPECT_TRUE(pull(store_, reference("app:1"), any).other_platform);
}

TEST_F(PullTest, ResumesWhereItWasCut) {
  const std::string layer = big_layer("f", 1'000'000);
  publish("1", {layer});
  int cuts = 0;
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.path.find(Digest::of(layer).hex()) == std::string::npos || cuts >= 3)
      return std::nullopt;
    const std::string range = request.header("range");
    const std::size_t from = range.empty() ? 0 : std::stoul(range.substr(6));
    EXPECT_EQ(from, static_cast<std::size_t>(cuts) * 200'000);
    ++cuts;
    return ServedAnswer{
        .status = range.empty() ? 200 : 206, .body = layer.substr(from), .cut_after = 200'000};
  };
  EXPECT_EQ(content(pull_it().image, "f").size(), 1'000'000U);
  EXPECT_EQ(cuts, 3);
  expect_sound();
}

TEST_F(PullTest, ResumesAtAServerWithoutRanges) {
  const std::string layer = big_layer("f", 1'000'000);
  publish("1", {layer});
  registry_.ranges = false;
  int cuts = 0;
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.path.find(Digest::of(layer).hex()) == std::string::npos || cuts++ > 0)
      return std::nullopt;
    return ServedAnswer{.body = layer, .cut_after = 300'000};
  };
  EXPECT_EQ(content(pull_it().image, "f").size(), 1'000'000U);
}

TEST_F(PullTest, GoesOnWhereAnEarlierPullEnded) {
  const std::string layer = big_layer("f", 500'000);
  publish("1", {layer});
  os::write_file_atomic(root() + "/downloads/" + Digest::of(layer).hex() + ".part",
                        layer.substr(0, 123'456));
  pull_it();
  for (const ServedRequest& request : registry_.server().requests())
    if (request.path.find(Digest::of(layer).hex()) != std::string::npos) {
      EXPECT_EQ(request.header("range"), "bytes=123456-");
    }
  expect_sound();
}

TEST_F(PullTest, AWrongBeginningIsFetchedAnewOnce) {
  const std::string layer = big_layer("f", 500'000);
  publish("1", {layer});
  os::write_file_atomic(root() + "/downloads/" + Digest::of(layer).hex() + ".part",
                        std::string(400'000, 'x'));
  EXPECT_EQ(content(pull_it().image, "f").size(), 500'000U);
  expect_sound();
}

TEST_F(PullTest, AWrongDigestIsRefusedAndLeavesNoImage) {
  const std::string layer = big_layer("f", 300'000);
  publish("1", {layer});
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.path.find(Digest::of(layer).hex()) == std::string::npos) return std::nullopt;
    std::string other = layer;
    other[100'000] = static_cast<char>(other[100'000] ^ 1);
    return ServedAnswer{.body = other};
  };
  EXPECT_THAT(failure_of(), HasSubstr("another digest"));
  EXPECT_EQ(registry_.server().count("GET", Digest::of(layer).hex()), 2);
  EXPECT_FALSE(store_.find(reference("app:1").text()));
  EXPECT_THAT(layers(), IsEmpty());
}

TEST_F(PullTest, MoreThanAnnouncedIsRefused) {
  const std::string layer = tar_of("f", "x");
  publish("1", {layer});
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.path.find(Digest::of(layer).hex()) == std::string::npos) return std::nullopt;
    return ServedAnswer{.body = layer + std::string(1'000'000, 'x')};
  };
  EXPECT_THAT(failure_of(), HasSubstr("more than"));
}

TEST_F(PullTest, LessThanAnnouncedIsRefusedAfterSomeTries) {
  const std::string layer = tar_of("f", "x");
  publish("1", {layer});
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.path.find(Digest::of(layer).hex()) == std::string::npos) return std::nullopt;
    return ServedAnswer{.body = request.header("range").empty() ? layer.substr(0, 100) : ""};
  };
  EXPECT_THAT(failure_of(), HasSubstr("it ends after 100 of"));
}

TEST_F(PullTest, ALayerThatIsNotWhatTheConfigSaysIsRefused) {
  publish("1", {tar_of("f", "x")});
  std::string text = *registry_.manifest("1");
  const nlohmann::json manifest = nlohmann::json::parse(text);
  const std::string other = tar_of("f", "y");
  nlohmann::json changed = manifest;
  changed["layers"][0]["digest"] = registry_.add_blob(other);
  registry_.add_manifest("2", changed.dump(), std::string(media_type::kManifest));
  EXPECT_THAT(failure_of("app:2"), HasSubstr("where the image says"));
  EXPECT_THAT(layers(), IsEmpty());
}

TEST_F(PullTest, BusyAndBrokenServersAreAskedAgain) {
  publish("1", {tar_of("f", "x")});
  int answers = 0;
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.path == "/v2/" || answers >= 3) return std::nullopt;
    ++answers;
    if (answers == 1) return ServedAnswer{.status = 429, .headers = {{"Retry-After", "7"}}};
    if (answers == 2) return ServedAnswer{.status = 503};
    return ServedAnswer{.body = "{", .length = 100};  // breaks off
  };
  pull_it();
  ASSERT_EQ(pauses_.size(), 3U);
  EXPECT_EQ(pauses_[0], std::chrono::seconds(7));
}

TEST_F(PullTest, ABlobThatIsBusyWaitsAsLongAsAsked) {
  const std::string layer = tar_of("f", "x");
  publish("1", {layer});
  int answers = 0;
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.path.find(Digest::of(layer).hex()) == std::string::npos || answers++ > 0)
      return std::nullopt;
    return ServedAnswer{.status = 429, .headers = {{"Retry-After", "9"}}};
  };
  pull_it();
  EXPECT_THAT(pauses_, ElementsAre(std::chrono::seconds(9)));
}

TEST_F(PullTest, GivesUpInTheEnd) {
  registry_.hook = [](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.path == "/v2/") return std::nullopt;
    return ServedAnswer{.status = 500, .body = "out of order"};
  };
  EXPECT_THAT(failure_of(), HasSubstr("out of order"));
  EXPECT_EQ(pauses_.size(), 4U);
}

TEST_F(PullTest, WhatIsNotThereIsNotAskedForAgain) {
  EXPECT_THAT(failure_of(), AllOf(HasSubstr("manifest unknown"), HasSubstr("stack login")));
  EXPECT_THAT(pauses_, IsEmpty());
}

TEST_F(PullTest, AManifestThatIsNotItsDigestIsRefused) {
  const std::string digest = publish("1", {tar_of("f", "x")});
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.path.find("/manifests/") == std::string::npos) return std::nullopt;
    return ServedAnswer{.body = *registry_.manifest("1") + " "};
  };
  EXPECT_THAT(failure_of("app@" + digest), HasSubstr("something else"));
}

TEST_F(PullTest, OldAndForeignDocumentsAreNamed) {
  registry_.add_manifest("old", R"({"schemaVersion":1})",
                         "application/vnd.docker.distribution.manifest.v1+prettyjws");
  EXPECT_THAT(failure_of("app:old"), HasSubstr("schema version 1"));
  registry_.add_manifest("html", "<html>", "text/html");
  EXPECT_THAT(failure_of("app:html"), HasSubstr("not valid JSON"));
}

TEST_F(PullTest, CompressedLayers) {
  const std::string plain = big_layer("f", 200'000);
  for (const char* compression : {"gzip", "zstd"}) {
    const std::string packed = compress(plain, compression);
    publish("1", {plain});
    nlohmann::json manifest = nlohmann::json::parse(*registry_.manifest("1"));
    manifest["layers"][0] = {{"mediaType", std::string(media_type::kLayer) + "+" + compression},
                             {"digest", registry_.add_blob(packed)},
                             {"size", packed.size()}};
    registry_.add_manifest(compression, manifest.dump(), std::string(media_type::kManifest));
    EXPECT_EQ(content(pull_it(std::string("app:") + compression).image, "f").size(), 200'000U);
  }
}

TEST_F(PullTest, BlobsComeFromWhereTheRegistryLeads) {
  const std::string layer = tar_of("f", "x");
  publish("1", {layer});
  support::HttpServer elsewhere([&](const ServedRequest&) { return ServedAnswer{.body = layer}; });
  os::make_directories(directory_.path() + "/.docker", 0700);
  os::write_file_atomic(directory_.path() + "/.docker/config.json",
                        R"({"auths":{")" + registry_.host() + R"(":{"auth":"dTpw"}}})");
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.header("authorization") != "Basic dTpw")
      return ServedAnswer{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"r\""}}};
    if (request.path.find(Digest::of(layer).hex()) == std::string::npos) return std::nullopt;
    return ServedAnswer{.status = 307, .headers = {{"Location", elsewhere.url() + "/x?sig=1"}}};
  };
  pull_it();
  ASSERT_EQ(elsewhere.requests().size(), 1U);
  EXPECT_EQ(elsewhere.requests()[0].header("authorization"), "") << "our password went elsewhere";
}

TEST_F(PullTest, CirclesEnd) {
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.path == "/v2/") return std::nullopt;
    return ServedAnswer{.status = 307, .headers = {{"Location", request.path}}};
  };
  EXPECT_THAT(failure_of(), HasSubstr("in circles"));
}

}  // namespace
}  // namespace image
