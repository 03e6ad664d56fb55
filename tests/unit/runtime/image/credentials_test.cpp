#include "runtime/image/credentials.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "runtime/image/credential_store.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace image {
namespace {

TEST(Base64Test, BothWays) {
  for (const std::string text : {"", "a", "ab", "abc", "user:p\xc3\xa4ss", "\x00\xff"})
    EXPECT_EQ(base64_decode(base64_encode(text)), text);
  EXPECT_EQ(base64_encode("user:pass"), "dXNlcjpwYXNz");
  EXPECT_EQ(base64_decode("dXNlcjpwYXM"), "user:pas");
  EXPECT_FALSE(base64_decode("a"));
  EXPECT_FALSE(base64_decode("ab!="));
}

TEST(AuthFileTest, KeysComeInManyForms) {
  EXPECT_EQ(normal_auth_key("https://index.docker.io/v1/"), "docker.io");
  EXPECT_EQ(normal_auth_key("http://localhost:5000/v2/"), "localhost:5000");
  EXPECT_EQ(normal_auth_key("quay.io/ns/repo"), "quay.io/ns/repo");
}

TEST(AuthFileTest, TheMostSpecificEntryWins) {
  const AuthFile file =
      parse_auth_file(R"({"auths":{"quay.io":{"auth":"YTox"},"quay.io/ns":{"auth":"Yjoy"},)"
                      R"("quay.io/ns/repo":{"identitytoken":"t"},"empty.io":{}}})");
  EXPECT_EQ(file.find("quay.io", "x")->username, "a");
  EXPECT_EQ(file.find("quay.io", "ns/other")->password, "2");
  EXPECT_EQ(file.find("quay.io", "ns/repo")->identity_token, "t");
  EXPECT_FALSE(file.find("empty.io", "x"));
  EXPECT_FALSE(file.find("quay.i", "o/x"));
}

TEST(AuthFileTest, HelpersByHost) {
  const AuthFile file =
      parse_auth_file(R"({"credsStore":"all","credHelpers":{"https://gcr.io":"one"}})");
  EXPECT_EQ(file.helper_for("gcr.io"), "one");
  EXPECT_EQ(file.helper_for("docker.io"), "all");
}

TEST(AuthFileTest, SecretsDoNotShowInMessages) {
  try {
    parse_auth_file(R"({"auths":{"h":{"auth":"c2VjcmV0"}}})");
    FAIL();
  } catch (const os::Error& error) {
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
    EXPECT_EQ(std::string(error.what()).find("c2VjcmV0"), std::string::npos);
  }
}

TEST(AuthFileTest, EditsKeepTheRest) {
  const std::string before =
      R"({"auths":{"a":{"auth":"YTox"},"http://b/":{"auth":"YTox"}},"proxies":{"x":1}})";
  const std::string edited =
      edit_auth_file(before, "b", Credentials{.username = "u", .password = "p"});
  EXPECT_NE(edited.find("proxies"), std::string::npos);
  EXPECT_EQ(edited.find("http://b/"), std::string::npos);
  EXPECT_EQ(parse_auth_file(edited).find("b", "")->password, "p");
  EXPECT_FALSE(parse_auth_file(edit_auth_file(edited, "b", {})).find("b", ""));
  EXPECT_TRUE(parse_auth_file(edit_auth_file(edited, "b", {})).find("a", ""));
  EXPECT_EQ(parse_auth_file(edit_auth_file("", "docker.io", Credentials{.username = "u"}))
                .find("docker.io", "x")
                ->username,
            "u");
}

class CredentialStoreTest : public testing::Test {
 protected:
  void config(const std::string& json) {
    os::make_directories(home() + "/.docker", 0700);
    os::write_file_atomic(home() + "/.docker/config.json", json);
  }
  void helper(const std::string& script) {
    os::write_file_atomic(home() + "/docker-credential-x", "#!/bin/sh\n" + script, 0755);
  }
  std::string home() const { return directory_.path(); }
  CredentialStore store() {
    return CredentialStore({{"HOME", home()}, {"PATH", home() + ":/usr/bin:/bin"}},
                           [this](const std::string& text) { warnings_ += text + "\n"; });
  }
  os::TempDir directory_;
  std::string warnings_;
};

TEST_F(CredentialStoreTest, AsksTheHelper) {
  config(R"({"credsStore":"x"})");
  helper(R"(read host; [ "$1" = get ] && echo "{\"Username\":\"u-$host\",\"Secret\":\"s\"}")");
  EXPECT_EQ(store().find("h:1", "p")->username, "u-h:1");
  EXPECT_EQ(store().find("docker.io", "p")->username, "u-https://index.docker.io/v1/");
}

TEST_F(CredentialStoreTest, AnIdentityTokenComesAsAUser) {
  config(R"({"credHelpers":{"h":"x"}})");
  helper(R"(echo '{"Username":"<token>","Secret":"s"}')");
  EXPECT_EQ(store().find("h", "p")->identity_token, "s");
}

TEST_F(CredentialStoreTest, AHelperThatFailsOnlyWarns) {
  config(R"({"credsStore":"x","auths":{"h":{"auth":"YTox"}}})");
  helper("echo no bus >&2; echo broken; exit 3");
  EXPECT_EQ(store().find("h", "p")->username, "a");
  EXPECT_NE(warnings_.find("docker-credential-x"), std::string::npos);
  config(R"({"credsStore":"missing"})");
  EXPECT_FALSE(store().find("h", "p"));
}

TEST_F(CredentialStoreTest, NothingKnownIsNoFailure) {
  config(R"({"credsStore":"x"})");
  helper("echo 'credentials not found in native keychain'; exit 1");
  EXPECT_FALSE(store().find("h", "p"));
  EXPECT_EQ(warnings_, "");
}

TEST_F(CredentialStoreTest, KeepsAndForgets) {
  EXPECT_FALSE(store().erase("h"));
  store().store("h", {.username = "u", .password = "p"});
  struct stat status {};
  ASSERT_EQ(::stat((home() + "/.docker/config.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_EQ(store().find("h", "")->password, "p");
  EXPECT_TRUE(store().erase("h"));
  EXPECT_FALSE(store().find("h", ""));
}

TEST_F(CredentialStoreTest, KeepsInTheHelper) {
  config(R"({"credsStore":"x"})");
  helper("cat >\"$0.$1\"");
  store().store("h", {.username = "u", .password = "p"});
  EXPECT_NE(os::read_file(home() + "/docker-credential-x.store").find(R"("Secret":"p")"),
            std::string::npos);
  EXPECT_EQ(os::read_file(home() + "/.docker/config.json").find("\"p\""), std::string::npos);
}

}  // namespace
}  // namespace image
