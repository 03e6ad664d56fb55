#include "runtime/build/graph.hpp"

#include <gtest/gtest.h>

#include "runtime/build/check.hpp"

namespace build {
namespace {

/// The stages as text: index, name, base, needs, `*` where the target needs it; then mistakes.
std::string graph_of(const std::string& text, GraphInput input = {}) {
  input.build_platform = {"linux", "amd64", ""};
  input.target_platform = {"linux", "amd64", ""};
  static Dockerfile file;
  file = parse_dockerfile(text);
  check_dockerfile(file);
  std::vector<Mistake> mistakes = file.mistakes;
  const Graph graph = make_graph(file, input, mistakes);
  std::string result;
  for (const Stage& stage : graph.stages) {
    constexpr const char* kKinds[] = {"scratch", "stage", "context", "image"};
    result += std::to_string(stage.index) + (graph.needed.contains(stage.index) ? "* " : "  ") +
              stage.name + " <- " + kKinds[static_cast<std::size_t>(stage.base.kind)] + " " +
              stage.base.name;
    for (const std::size_t need : stage.needs) result += " " + std::to_string(need);
    result += "\n";
  }
  for (const Mistake& mistake : mistakes)
    result += "! " + std::to_string(mistake.at.line) + " " + mistake.message +
              (mistake.hint.empty() ? "" : " | " + mistake.hint) + "\n";
  return result;
}

TEST(GraphTest, OnlyWhatTheTargetReachesIsNeeded) {
  const std::string text =
      "FROM a AS one\nFROM b AS two\nFROM c\nFROM d AS four\nCOPY --from=one x y\n"
      "RUN --mount=from=two,target=/z true\n";
  EXPECT_EQ(graph_of(text),
            "0* one <- image a\n1* two <- image b\n2   <- image c\n3* four <- image d 0 1\n");
  EXPECT_EQ(graph_of(text, {.target = "Two"}),
            "0  one <- image a\n1* two <- image b\n2   <- image c\n3  four <- image d 0 1\n");
  EXPECT_EQ(graph_of("FROM a AS one\n", {.target = "onee"}),
            "0* one <- image a\n! 0 target stage 'onee' could not be found | did you mean one?\n");
}

TEST(GraphTest, NamesLeadToTheLatestEarlierStage) {
  EXPECT_EQ(graph_of("FROM a AS x\nFROM x AS x\nFROM x\nCOPY --from=0 a b\n"),
            "0* x <- image a\n1* x <- stage x 0\n2*  <- stage x 0 1\n");
  EXPECT_EQ(graph_of("FROM scratch\nCOPY --from=1 a b\n"),
            "0*  <- scratch scratch\n! 2 there is no stage 1 before this one | stages are counted "
            "from 0\n");
  EXPECT_EQ(graph_of("FROM a AS x\nCOPY --from=y a b\nFROM b AS y\n", {.target = "x"}),
            "0* x <- image a\n1  y <- image b\n! 2 the stage 'y' comes later | a stage may use "
            "earlier ones only\n");
}

TEST(GraphTest, GlobalArgumentsCountInFromAlone) {
  EXPECT_EQ(graph_of("ARG tag=1\nARG full=a:$tag\nFROM $full\n"), "0*  <- image a:1\n");
  EXPECT_EQ(graph_of("ARG tag=1\nFROM a:$tag\n", {.build_args = {{"tag", "2"}}}),
            "0*  <- image a:2\n");
  EXPECT_EQ(graph_of("ARG tag\nFROM a:${tag:-latest}\n"), "0*  <- image a:latest\n");
  EXPECT_EQ(
      graph_of("FROM $none\n"),
      "0*  <- image \n! 1 the image's name '$none' comes to nothing | give its ARG a default, "
      "or pass --build-arg\n");
  EXPECT_EQ(graph_of("FROM --platform=$BUILDPLATFORM a AS x-$TARGETARCH\n").substr(0, 3), "0* ");
}

TEST(GraphTest, ContextsReplaceStagesAndImages) {
  EXPECT_EQ(graph_of("FROM a AS x\nFROM b:1\nCOPY --from=x a b\n", {.contexts = {"x", "b:1"}}),
            "0  x <- context x\n1*  <- context b:1\n");
}

}  // namespace
}  // namespace build
