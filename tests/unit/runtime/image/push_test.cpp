#include "runtime/image/push.hpp"

#include "tests/unit/runtime/image/registry_fixture.hpp"

namespace image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PushTest : public RegistryTest {
 protected:
  PushResult push_it(const Image& image, const std::string& rest = "app:1") {
    PushOptions options;
    options.registry = registry_options();
    options.registry.piece = 1'000'000;
    return push(store_, image, reference(rest), options);
  }
};

TEST_F(PushTest, WhatWasPushedCanBePulled) {
  const Image image = import(tar_of("f", "x"), reference("app:1").text());
  const PushResult result = push_it(image);
  EXPECT_EQ(result.digest, image.manifest);
  store_.remove(reference("app:1").text(), false, {});
  EXPECT_EQ(pull_it().image.id, image.id);
}

TEST_F(PushTest, NothingIsSentTwice) {
  const Image image = import(tar_of("f", "x"), "local");
  push_it(image);
  EXPECT_EQ(push_it(image).sent, 0);
  EXPECT_EQ(registry_.server().count("PUT", "/blobs/uploads/"), 2);
}

TEST_F(PushTest, WhatANeighbourHasIsMounted) {
  const std::string layer = tar_of("f", "x");
  const Image image = import(layer, reference("team/one:1").text());
  push_it(image, "team/one:1");
  // A registry shows a blob only in the repositories that have it.
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.method == "HEAD" && request.path.starts_with("/v2/team/two/"))
      return ServedAnswer{.status = 404};
    return std::nullopt;
  };
  push_it(image, "team/two:1");
  bool mounted = false;
  for (const ServedRequest& request : registry_.server().requests())
    mounted = mounted || (request.query.find("from=team%2Fone") != std::string::npos &&
                          request.query.find(Digest::of(layer).hex()) != std::string::npos);
  EXPECT_TRUE(mounted);
}

TEST_F(PushTest, LargeBlobsGoInPiecesAndGoOnAfterABreak) {
  const Image image = import(big_layer("f", 2'500'000), "local");
  int pieces = 0;
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.method != "PATCH" || ++pieces != 2) return std::nullopt;
    return ServedAnswer{.status = 502};
  };
  push_it(image);
  EXPECT_EQ(pieces, 3);
  EXPECT_EQ(pauses_.size(), 1U);
}

TEST_F(PushTest, ARegistryThatForgotTheUploadGetsItWhole) {
  const Image image = import(tar_of("f", "x"), "local");
  int puts = 0;
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    const bool upload = request.path.find("/blobs/uploads/") != std::string::npos;
    if (upload && request.method == "PUT" && ++puts == 1) return ServedAnswer{.status = 404};
    if (upload && request.method == "GET") return ServedAnswer{.status = 404};
    return std::nullopt;
  };
  push_it(image);
  EXPECT_EQ(registry_.blobs().size(), 2U);
}

TEST_F(PushTest, ARegistryThatKeepsNothingIsGivenUp) {
  const Image image = import(big_layer("f", 2'500'000), "local");
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.method != "PATCH" && (request.method != "GET" || request.path == "/v2/"))
      return std::nullopt;
    return ServedAnswer{.status = request.method == "GET" ? 204 : 202,
                        .headers = {{"Location", request.path}, {"Range", "0-99"}}};
  };
  try {
    push_it(image);
    FAIL();
  } catch (const os::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("still has only 100 bytes"));
  }
}

TEST_F(PushTest, AnUploadThatLeadsElsewhereTakesNoCredentialsAlong) {
  const Image image = import(big_layer("f", 2'500'000), "local");
  std::map<std::string, std::string> taken;
  std::unique_ptr<support::HttpServer> elsewhere;
  elsewhere = std::make_unique<support::HttpServer>([&](const ServedRequest& request) {
    taken[request.path] += request.body;
    if (request.method == "PATCH")
      return ServedAnswer{.status = 202, .headers = {{"Location", request.path}}};
    registry_.add_blob(taken[request.path]);
    return ServedAnswer{.status = 201};
  });
  os::make_directories(directory_.path() + "/.docker", 0700);
  os::write_file_atomic(directory_.path() + "/.docker/config.json",
                        R"({"auths":{")" + registry_.host() + R"(":{"auth":"dTpw"}}})");
  int uploads = 0;
  registry_.hook = [&](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.header("authorization") != "Basic dTpw")
      return ServedAnswer{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"r\""}}};
    if (request.method != "POST") return std::nullopt;
    const std::string place = elsewhere->url() + "/" + std::to_string(++uploads);
    return ServedAnswer{.status = 202, .headers = {{"Location", place}}};
  };
  push_it(image);
  EXPECT_EQ(registry_.blobs().size(), 2U);
  EXPECT_GE(elsewhere->requests().size(), 4U) << "in pieces";
  for (const ServedRequest& request : elsewhere->requests())
    EXPECT_EQ(request.header("authorization"), "") << "our password went elsewhere";
}

TEST_F(PushTest, NoTagNoPush) {
  const Image image = import(tar_of("f", "x"), "local");
  EXPECT_THROW(push_it(image, "app@" + image.manifest.text()), os::Error);
}

TEST_F(PushTest, DeniedIsSaid) {
  const Image image = import(tar_of("f", "x"), "local");
  registry_.hook = [](const ServedRequest& request) -> std::optional<ServedAnswer> {
    if (request.path == "/v2/") return std::nullopt;
    return ServedAnswer{
        .status = 403,
        .body = R"({"errors":[{"code":"DENIED","message":"requested access is denied"}]})"};
  };
  try {
    push_it(image);
    FAIL();
  } catch (const os::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("access denied: `stack login"));
  }
}

}  // namespace
}  // namespace image
