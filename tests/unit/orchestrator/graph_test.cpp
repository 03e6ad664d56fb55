#include "orchestrator/graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace orchestrator {
namespace {

using Services = std::map<std::string, manifests::Service>;
using testing::ElementsAre;
using testing::IsEmpty;

Services services(const std::map<std::string, std::vector<std::string>>& edges) {
  Services made;
  for (const auto& [name, dependencies] : edges) {
    made[name].name = name;
    for (const std::string& dependency : dependencies) made[name].depends_on[dependency];
  }
  return made;
}

std::string failure_of(const Services& services) {
  try {
    Graph::of(services);
  } catch (const os::Error& error) {
    return error.what();
  }
  return "";
}

// C6: a dependency is made before what depends on it.
TEST(Graph, PutsEachServiceAfterItsDependencies) {
  const Graph graph =
      Graph::of(services({{"api", {"db", "queue"}}, {"db", {}}, {"queue", {"db"}}}));
  EXPECT_THAT(graph.order(), ElementsAre("db", "queue", "api"));
}

TEST(Graph, OrdersByNameWhereNothingElseDecides) {
  EXPECT_THAT(Graph::of(services({{"c", {}}, {"a", {}}, {"b", {}}})).order(),
              ElementsAre("a", "b", "c"));
}

TEST(Graph, KnowsDirectNeighboursOnly) {
  const Graph graph = Graph::of(services({{"web", {"api"}}, {"api", {"db"}}, {"db", {}}}));
  EXPECT_THAT(graph.dependencies("web"), ElementsAre("api"));
  EXPECT_THAT(graph.dependents("db"), ElementsAre("api"));
  EXPECT_THAT(graph.dependencies("db"), IsEmpty());
}

TEST(Graph, FollowsEdgesToTheEnd) {
  const Graph graph =
      Graph::of(services({{"web", {"api"}}, {"api", {"db"}}, {"db", {}}, {"other", {}}}));
  EXPECT_THAT(graph.with_dependencies({"api"}), ElementsAre("api", "db"));
  EXPECT_THAT(graph.with_dependents({"api"}), ElementsAre("api", "web"));
  EXPECT_THAT(graph.with_dependencies({}), IsEmpty());
}

TEST(Graph, LeavesOutDependenciesThatAreNotPartOfTheRun) {
  const Graph graph = Graph::of(services({{"web", {"metrics"}}}));
  EXPECT_THAT(graph.order(), ElementsAre("web"));
  EXPECT_THAT(graph.with_dependencies({"web"}), ElementsAre("web"));
}

TEST(Graph, NamesThePathThatClosesACycle) {
  EXPECT_EQ(failure_of(services({{"a", {"b"}}, {"b", {"c"}}, {"c", {"b"}}})),
            "dependency cycle detected: b -> c -> b");
  EXPECT_EQ(failure_of(services({{"a", {"a"}}})), "dependency cycle detected: a -> a");
}

}  // namespace
}  // namespace orchestrator
