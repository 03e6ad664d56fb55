#include "orchestrator/cli/table.hpp"

#include <gtest/gtest.h>

#include "orchestrator/cli/command_line.hpp"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

TEST(Table, ColumnsStandThreeSpacesApart) {
  Table table({"NAME", "STATE"});
  table.add({"web-1", "running"});
  table.add({"a", ""});
  EXPECT_EQ(table.text(), "NAME    STATE\nweb-1   running\na\n");
}

TEST(Table, CountsCharactersNotBytes) {
  Table table({"A", "B"});
  table.add({"größe", "x"});
  EXPECT_EQ(table.text(), "A       B\ngröße   x\n");
}

TEST(Table, ShortensWithAnEllipsis) {
  EXPECT_EQ(shorten("short", 20), "short");
  EXPECT_EQ(shorten("/docker-entrypoint.sh nginx", 20), "/docker-entrypoint.…");
  EXPECT_EQ(shorten("äöüäöü", 4), "äöü…");
}

TEST(Template, TakesMembersAndFunctions) {
  const Json object = {{"Name", "web"}, {"Count", 3}, {"List", {1, 2}}};
  EXPECT_EQ(fill_template("{{.Name}}-{{ .Count }}", object), "web-3");
  EXPECT_EQ(fill_template("{{json .Name}} {{upper .Name}}", object), "\"web\" WEB");
  EXPECT_EQ(fill_template("{{.List}}\\t{{json .}}", object),
            "[1,2]\t{\"Name\":\"web\",\"Count\":3,\"List\":[1,2]}");
}

TEST(Template, RefusesWhatItDoesNotKnow) {
  const Json object = {{"Name", "web"}};
  EXPECT_THROW(fill_template("{{.Nme}}", object), UsageError);
  EXPECT_THROW(fill_template("{{.Name", object), UsageError);
  EXPECT_THROW(fill_template("{{range .Name}}", object), UsageError);
}

TEST(Template, HeadersAreTheNamesOfFields) {
  EXPECT_EQ(template_headers("{{.Name}}\\t{{.RunningFor}}"), "NAME\tRUNNING FOR");
}

TEST(Rows, ComeInEveryFormat) {
  Table table({"NAME"});
  table.add({"web"});
  const std::vector<Json> objects{{{"Name", "web"}}};
  EXPECT_EQ(render_rows("table", table, objects), "NAME\nweb\n");
  EXPECT_EQ(render_rows("json", table, objects), "{\"Name\":\"web\"}\n");
  EXPECT_EQ(render_rows("{{.Name}}", table, objects), "web\n");
  EXPECT_EQ(render_rows("table {{.Name}}\\t{{.Name}}", table, objects),
            "NAME   NAME\nweb    web\n");
}

}  // namespace
}  // namespace cli
