// `config` for programs and for the curious: data about mistakes, origins, variables, the schema;
// and `lsp`, the same for editors.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class ConfigDataTest : public support::StackTest {
 protected:
  json data(const std::vector<std::string>& arguments) { return json::parse(must(arguments)); }
};

TEST_F(ConfigDataTest, GivesAllMistakesAsData) {
  manifest(
      "services:\n  web:\n    imgae: IMAGE\n    depends_on: [dbb]\n  db:\n    image: IMAGE\n"
      "    ports: ['x']\n");
  const Output found = stack({"config", "--format", "json"});
  EXPECT_THAT(found, ExitsWith(1));
  EXPECT_THAT(found.err, HasSubstr("compose.yaml:3:5: error: "));
  const json diagnostics = json::parse(found.out).at("diagnostics");
  ASSERT_EQ(diagnostics.size(), 3U) << diagnostics;
  EXPECT_EQ(diagnostics[0].at("line"), 3);
  EXPECT_EQ(diagnostics[0].at("column"), 5);
  EXPECT_EQ(diagnostics[0].at("file"), "compose.yaml");
  EXPECT_EQ(diagnostics[0].at("suggestion"), "image");
  EXPECT_EQ(diagnostics[1].at("line"), 7);
  EXPECT_EQ(diagnostics[2].at("suggestion"), "db");
}

TEST_F(ConfigDataTest, WritesOriginsBesideValues) {
  manifest("services:\n  web:\n    image: IMAGE\n    environment: {A: one}\n");
  write("compose.override.yaml", "services:\n  web:\n    environment:\n      A: two\n");
  EXPECT_THAT(must({"config", "--origin"}),
              AllOf(HasSubstr("image: test  # compose.yaml:3\n"),
                    HasSubstr("A: two  # compose.override.yaml:4\n")));
  EXPECT_EQ(data({"config", "--origin", "--format", "json"}).at(0).at("path"), "name");
}

TEST_F(ConfigDataTest, ExplainsVariables) {
  write(".env", "TAG=from-file\n");
  environment()["TAG"] = "from-process";
  manifest("services:\n  web:\n    image: IMAGE:${TAG:-none}\n");
  const std::string text = must({"config", "--explain", "TAG"});
  EXPECT_THAT(text, AllOf(HasSubstr("TAG is \"from-process\""),
                          HasSubstr("* the process environment: \"from-process\""),
                          HasSubstr(".env:1:5: \"from-file\""),
                          HasSubstr("compose.yaml:3:17: services.web.image")));
  EXPECT_EQ(data({"config", "--explain", "TAG", "--format", "json"}).at("value"), "from-process");
}

TEST_F(ConfigDataTest, ListsVariables) {
  manifest("services: {web: {image: 'IMAGE:${TAG:-latest}', user: '${WHO:?who}'}}\n");
  EXPECT_THAT(must({"config", "--variables"}),
              AllOf(HasSubstr("NAME"), HasSubstr("TAG"), HasSubstr("latest"), HasSubstr("true")));
  EXPECT_EQ(data({"config", "--variables", "--format", "json"}).at("WHO").at("Required"), true);
}

TEST_F(ConfigDataTest, PrintsTheSchemaWithoutAnyFile) {
  const json schema = data({"config", "--schema"});
  EXPECT_TRUE(schema.at("properties").contains("services"));
}

TEST_F(ConfigDataTest, PinsImagesToWhatTheyAre) {
  manifest("services: {web: {image: IMAGE}, db: {image: 'IMAGE'}}\n");
  const json pinned = data({"config", "--resolve-image-digests", "--format", "json"});
  const auto image = pinned.at("services").at("web").at("image").get<std::string>();
  EXPECT_THAT(image, HasSubstr("test:latest@sha256:"));
  write("lock.yaml", must({"config", "--lock-image-digests"}));
  EXPECT_EQ(data({"-f", "compose.yaml", "-f", "lock.yaml", "config", "--format", "json"})
                .at("services")
                .at("db")
                .at("image"),
            image);
  manifest("services: {web: {image: not-there}}\n");
  const Output unknown = stack({"config", "--resolve-image-digests"});
  EXPECT_THAT(unknown, ExitsWith(1));
  EXPECT_THAT(unknown.err, HasSubstr("not-there"));
}

TEST_F(ConfigDataTest, WritesToAFile) {
  manifest("services: {web: {image: IMAGE}}\n");
  EXPECT_EQ(must({"config", "-o", "out.yaml"}), "");
  EXPECT_EQ(must({"-f", "out.yaml", "config"}), must({"config"}));
}

TEST_F(ConfigDataTest, LeavesAsWrittenWhatItIsToldTo) {
  environment()["TAG"] = "1";
  manifest("services: {web: {image: 'IMAGE:${TAG}', volumes: ['./x:/x']}}\n");
  EXPECT_THAT(must({"config", "--no-interpolate"}), HasSubstr("image: test:${TAG}"));
  EXPECT_THAT(must({"config", "--no-path-resolution"}), HasSubstr("source: ./x"));
  EXPECT_EQ(must({"config", "--no-normalize"}).find("networks"), std::string::npos);
}

// ---------------------------------------------------------------- hostile files

TEST_F(ConfigDataTest, RefusesHostileFiles) {
  const auto refused = [&](const std::string& text, const std::string& why) {
    write("compose.yaml", text);
    const Output found = stack({"config", "-q"}, std::chrono::seconds(10));
    EXPECT_THAT(found, ExitsWith(1)) << why;
    EXPECT_THAT(found.err, HasSubstr(why));
  };
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char name = 'b'; name < 'n'; ++name) {
    bomb += std::string(1, name) + ": &" + name + " [";
    for (int i = 0; i < 9; ++i)
      bomb += std::string(i ? "," : "") + "*" + static_cast<char>(name - 1);
    bomb += "]\n";
  }
  refused(bomb, "aliases unfold to more than");
  refused("services: " + std::string(10'000, '[') + std::string(10'000, ']') + "\n",
          "nested deeper than");
  refused("services: {a: {image: " + std::string(100'000'000, 'x') + "}}\n", "more than 16 MiB");
  refused(std::string("services: {a: {image: 'x\0y'}}\n", 30), "control characters");
  refused("services: {a: {image: '\xff'}}\n", "invalid UTF-8");
  refused("include: [compose.yaml]\n", "include cycle");
  refused("services: {a: {extends: b, image: i}, b: {extends: a}}\n", "Circular reference");
}

TEST_F(ConfigDataTest, RefusesAnEnvironmentFileThatIsNone) {
  manifest("services: {web: {image: IMAGE}}\n");
  ASSERT_EQ(::mkfifo((directory() + "/.env").c_str(), 0600), 0);
  const Output pipe = stack({"config", "-q"}, std::chrono::seconds(10));
  EXPECT_THAT(pipe, ExitsWith(1));
  EXPECT_THAT(pipe.err, HasSubstr("a pipe, socket or device"));
  ASSERT_EQ(::unlink((directory() + "/.env").c_str()), 0);
  write(".env", std::string("A=x\0y\n", 6));
  EXPECT_THAT(stack({"config", "-q"}).err, HasSubstr("a NUL byte"));
}

// ---------------------------------------------------------------- lsp

std::string framed(const json& message) {
  const std::string text = message.dump();
  return "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
}

std::string request(int id, const std::string& method, const json& parameters) {
  return framed({{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", parameters}});
}

std::string notice(const std::string& method, const json& parameters) {
  return framed({{"jsonrpc", "2.0"}, {"method", method}, {"params", parameters}});
}

TEST_F(ConfigDataTest, AnEditorHasASession) {
  manifest("services: {web: {image: IMAGE}}\n");
  const std::string uri = "file://" + directory() + "/compose.yaml";
  const json place = {{"textDocument", {{"uri", uri}}},
                      {"position", {{"line", 2}, {"character", 6}}}};
  const std::string session =
      request(1, "initialize", {{"capabilities", json::object()}}) +
      notice("textDocument/didOpen",
             {{"textDocument",
               {{"uri", uri}, {"text", "services:\n  web:\n    image: i\n    prots: []\n"}}}}) +
      request(2, "textDocument/hover", place) + request(3, "textDocument/completion", place) +
      request(4, "shutdown", nullptr) + notice("exit", nullptr);
  write("session", session);
  support::CommandOptions options;
  options.input = directory() + "/session";
  const Output said = stack({"lsp"}, options);
  EXPECT_THAT(said, ExitsWith(0));
  EXPECT_THAT(said.out, AllOf(HasSubstr("\"hoverProvider\":true"), HasSubstr("publishDiagnostics"),
                              HasSubstr("\"suggestion\":\"ports\""), HasSubstr("\"id\":3"),
                              HasSubstr("The image that it runs")));
  write("session", "nonsense\r\n\r\n");
  EXPECT_THAT(stack({"lsp"}, options), ExitsWith(1));
}

}  // namespace
}  // namespace e2e
