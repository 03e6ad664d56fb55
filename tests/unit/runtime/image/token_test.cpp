// Who we are to registries: token servers and passwords.
#include "runtime/image/authorizer.hpp"
#include "tests/unit/runtime/image/registry_fixture.hpp"

namespace image {
namespace {

using testing::HasSubstr;

class TokenServerTest : public RegistryTest {
 protected:
  TokenServerTest() {
    registry_.hook = [this](const ServedRequest& request) -> std::optional<ServedAnswer> {
      if (request.header("authorization") == "Bearer " + good_) return std::nullopt;
      const std::string challenge = "Bearer realm=\"" + tokens_.url() +
                                    "/token\",service=\"s\",scope=\"repository:app:pull\"";
      return ServedAnswer{.status = 401, .headers = {{"WWW-Authenticate", challenge}}};
    };
  }
  void log_in(const std::string& entry) {
    os::make_directories(directory_.path() + "/.docker", 0700);
    os::write_file_atomic(directory_.path() + "/.docker/config.json",
                          R"({"auths":{")" + registry_.host() + "\":" + entry + "}}");
  }

  std::string good_ = "good";
  std::string given_ = "good";
  support::HttpServer tokens_{[this](const ServedRequest&) {
    return ServedAnswer{.body = R"({"token":")" + given_ + R"(","expires_in":300})"};
  }};
};

TEST_F(TokenServerTest, AnonymousPullsGetATokenOnce) {
  publish("1", {tar_of("a", "1"), tar_of("b", "2"), tar_of("c", "3")});
  pull_it();
  ASSERT_EQ(tokens_.requests().size(), 1U);
  EXPECT_THAT(tokens_.requests()[0].query, HasSubstr("service=s"));
  EXPECT_THAT(tokens_.requests()[0].query, HasSubstr("scope=repository%3Aapp%3Apull"));
  EXPECT_EQ(tokens_.requests()[0].header("authorization"), "");
}

TEST_F(TokenServerTest, WithAPassword) {
  publish("1", {tar_of("a", "1")});
  log_in(R"({"auth":"dTpw"})");
  pull_it();
  EXPECT_EQ(tokens_.requests()[0].header("authorization"), "Basic dTpw");
}

TEST_F(TokenServerTest, WithAnIdentityToken) {
  publish("1", {tar_of("a", "1")});
  log_in(R"({"identitytoken":"me&"})");
  pull_it();
  EXPECT_EQ(tokens_.requests()[0].method, "POST");
  EXPECT_THAT(tokens_.requests()[0].body, HasSubstr("grant_type=refresh_token"));
  EXPECT_THAT(tokens_.requests()[0].body, HasSubstr("refresh_token=me%26"));
}

TEST_F(TokenServerTest, ATokenThatIsNotTakenEnds) {
  publish("1", {tar_of("a", "1")});
  given_ = "bad";
  EXPECT_THAT(failure_of(), HasSubstr("access denied"));
  EXPECT_LE(tokens_.requests().size(), 2U);
}

TEST_F(TokenServerTest, ATokenThatHasRunOutIsFetchedAnew) {
  const std::string layer = tar_of("a", "1");
  publish("1", {layer});
  const auto plain = registry_.hook;
  registry_.hook = [this, plain, layer](const ServedRequest& request) {
    if (request.path.find(Digest::of(layer).hex()) != std::string::npos && good_ == "good")
      good_ = given_ = "newer";
    return plain(request);
  };
  pull_it();
  EXPECT_EQ(tokens_.requests().size(), 2U);
}

TEST_F(TokenServerTest, LoggingInIsProven) {
  Registry registry(registry_options(), reference("login"), Access::pull);
  registry.authorizer().use(registry_.host(), {.username = "u", .password = "p"});
  registry.ping();
  EXPECT_EQ(tokens_.requests()[0].header("authorization"), "Basic dTpw");
  given_ = "bad";
  Registry other(registry_options(), reference("login"), Access::pull);
  other.authorizer().use(registry_.host(), {.username = "u", .password = "x"});
  EXPECT_THROW(other.ping(), os::Error);
}

TEST(RegistryErrorTest, TextIsShortAndPrintable) {
  EXPECT_EQ(registry_error_text(R"({"errors":[{"code":"A","message":"b"},{"code":"C"}]})"), "b; C");
  EXPECT_EQ(registry_error_text("plain\nmore"), "plain");
  EXPECT_EQ(registry_error_text("\x1b[31mred"), "[31mred");
  EXPECT_EQ(registry_error_text(std::string(5000, 'x')).size(), 300U);
  EXPECT_EQ(registry_error_text(R"({"errors":"no"})"), R"({"errors":"no"})");
}

}  // namespace
}  // namespace image
