// A session with an editor, message by message.
#include "orchestrator/cli/language_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace cli {
namespace {

using Json = LanguageServer::Json;

class LanguageServerTest : public testing::Test {
 protected:
  LanguageServerTest() {
    std::string name = std::filesystem::temp_directory_path() / "language-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    directory_ = std::filesystem::canonical(name);
  }
  ~LanguageServerTest() override { std::filesystem::remove_all(directory_); }

  Json ask(const std::string& method, const Json& parameters) {
    for (const Json& answer : server_.handle(
             {{"jsonrpc", "2.0"}, {"id", ++id_}, {"method", method}, {"params", parameters}}))
      if (answer.contains("id")) return answer;
    return {};
  }
  std::vector<Json> tell(const std::string& method, const Json& parameters) {
    return server_.handle({{"jsonrpc", "2.0"}, {"method", method}, {"params", parameters}});
  }
  Json at(int line, int character) {
    return {{"textDocument", {{"uri", uri()}}},
            {"position", {{"line", line}, {"character", character}}}};
  }
  std::string uri(const std::string& name = "compose.yaml") {
    return uri_of_path(directory_ + "/" + name);
  }
  /// The diagnostics for one file after the text changed.
  Json diagnostics(const std::string& text, const std::string& name = "compose.yaml") {
    for (const Json& answer :
         tell("textDocument/didChange", {{"textDocument", {{"uri", uri(name)}, {"version", 2}}},
                                         {"contentChanges", {{{"text", text}}}}}))
      if (answer.at("params").at("uri") == uri(name)) return answer.at("params").at("diagnostics");
    return "not published";
  }

  std::string directory_;
  LanguageServer server_{{}};
  int id_ = 0;
};

TEST_F(LanguageServerTest, ASessionFromBeginningToEnd) {
  const Json capabilities =
      ask("initialize", {{"capabilities", Json::object()}}).at("result").at("capabilities");
  EXPECT_EQ(capabilities.at("positionEncoding"), "utf-16");
  EXPECT_EQ(capabilities.at("hoverProvider"), true);
  EXPECT_TRUE(tell("initialized", Json::object()).empty());

  // Nothing is on disk yet: what counts is the editor's text.
  const auto opened =
      tell("textDocument/didOpen",
           {{"textDocument",
             {{"uri", uri()},
              {"languageId", "yaml"},
              {"version", 1},
              {"text", "services:\n  web:\n    imgae: i\n    depends_on: [db]\n"}}}});
  ASSERT_EQ(opened.size(), 1U);
  const Json found = opened[0].at("params").at("diagnostics");
  ASSERT_EQ(found.size(), 2U) << found;
  EXPECT_EQ(found[0].at("range"), (Json{{"start", {{"line", 2}, {"character", 4}}},
                                        {"end", {{"line", 2}, {"character", 9}}}}));
  EXPECT_EQ(found[0].at("data").at("suggestion"), "image");

  const std::string text =
      "services:\n  web:\n    image: i\n    depends_on: [db]\n  db:\n    image: i\n    \n";
  EXPECT_EQ(diagnostics(text), Json::array());
  const Json hover = ask("textDocument/hover", at(2, 6)).at("result");
  EXPECT_THAT(hover.at("contents").at("value").get<std::string>(), testing::HasSubstr("image"));
  const Json definition = ask("textDocument/definition", at(3, 18)).at("result");
  EXPECT_EQ(definition.at("uri"), uri());
  EXPECT_EQ(definition.at("range").at("start"), (Json{{"line", 4}, {"character", 2}}));
  const Json completion = ask("textDocument/completion", at(6, 4)).at("result");
  EXPECT_TRUE(std::any_of(completion.begin(), completion.end(),
                          [](const Json& item) { return item.at("label") == "ports"; }));

  EXPECT_EQ(ask("shutdown", nullptr).at("result"), nullptr);
  EXPECT_EQ(server_.exit_code(), std::nullopt);
  tell("exit", nullptr);
  EXPECT_EQ(server_.exit_code(), 0);
}

TEST_F(LanguageServerTest, ColumnsCountWhatTheClientCounts) {
  // The snowman is one UTF-16 unit and three bytes, the face two units and four bytes.
  EXPECT_EQ(diagnostics("services: {\"a\": {image: \"\u2603\U0001F600\", x: 1}}\n")
                .at(0)
                .at("range")
                .at("start")
                .at("character"),
            31);
}

TEST_F(LanguageServerTest, AMistakeInAnotherFileIsSaidThereAndTakenBack) {
  std::ofstream(directory_ + "/compose.yaml") << "include: [other.yaml]\nservices: {}\n";
  std::ofstream(directory_ + "/other.yaml") << "services: {a: {image: i, bad: 1}}\n";
  auto told = tell("textDocument/didOpen",
                   {{"textDocument", {{"uri", uri()}, {"text", "include: [other.yaml]\n"}}}});
  const auto of_other = [&] {
    for (const Json& each : told)
      if (each.at("params").at("uri") == uri("other.yaml"))
        return each.at("params").at("diagnostics").size();
    return std::size_t{99};
  };
  EXPECT_EQ(of_other(), 1U);
  told = tell("textDocument/didChange", {{"textDocument", {{"uri", uri()}}},
                                         {"contentChanges", {{{"text", "services: {}\n"}}}}});
  EXPECT_EQ(of_other(), 0U);
}

TEST_F(LanguageServerTest, BearsWhatItDoesNotKnow) {
  EXPECT_EQ(ask("textDocument/rename", Json::object()).at("error").at("code"), -32601);
  EXPECT_EQ(ask("textDocument/hover", Json::object()).at("error").at("code"), -32602);
  EXPECT_TRUE(tell("$/unknown", Json::object()).empty());
  EXPECT_TRUE(server_.handle(Json::parse("[1, 2]")).empty());
  EXPECT_TRUE(tell("textDocument/didOpen", {{"textDocument", 1}}).empty());
  EXPECT_EQ(ask("textDocument/hover", at(0, 0)).at("result"), nullptr);
}

TEST(Uri, IsReadAndWritten) {
  EXPECT_EQ(path_of_uri("file:///a%20b/c"), "/a b/c");
  EXPECT_EQ(path_of_uri("https://x/y"), std::nullopt);
  EXPECT_EQ(uri_of_path("/a b/\u00e9"), "file:///a%20b/%C3%A9");
  EXPECT_EQ(path_of_uri(uri_of_path("/a%b c")), "/a%b c");
}

}  // namespace
}  // namespace cli
