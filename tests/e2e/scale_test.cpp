// Replicas (Compose A2 `scale`, A4 `deploy.replicas`, C3, C5).
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class ScaleTest : public support::StackTest {
 protected:
  std::vector<std::string> names() {
    std::vector<std::string> result;
    for (const auto& one : containers())
      result.push_back(one.at("Name").get<std::string>().substr(project().size() + 1));
    return result;
  }
};

TEST_F(ScaleTest, ReplicasAreNumbered) {
  manifest("services: {web: {image: IMAGE, deploy: {replicas: 3}}}\n");
  up();
  EXPECT_THAT(names(), ElementsAre("web-1", "web-2", "web-3"));
}

TEST_F(ScaleTest, UpScalesBothWaysAndKeepsTheRest) {
  manifest("services: {web: {image: IMAGE}}\n");
  up();
  const std::string first = id("web", 1);
  up({"--scale", "web=3"});
  EXPECT_THAT(names(), ElementsAre("web-1", "web-2", "web-3"));
  EXPECT_EQ(id("web", 1), first);
  up({"--scale", "web=2"});
  EXPECT_THAT(names(), ElementsAre("web-1", "web-2")) << "the highest number goes first";
  EXPECT_EQ(id("web", 1), first);
  up({"--scale", "web=0"});
  EXPECT_THAT(names(), ElementsAre());
}

TEST_F(ScaleTest, TheScaleCommandDoesTheSame) {
  manifest("services: {web: {image: IMAGE}, db: {image: IMAGE}}\n");
  up();
  must({"scale", "web=2"});
  EXPECT_THAT(names(), ElementsAre("db-1", "web-1", "web-2"));
}

TEST_F(ScaleTest, BadNumbersAreRefused) {
  manifest("services: {web: {image: IMAGE}}\n");
  EXPECT_THAT(stack({"up", "-d", "--scale", "web"}).err, HasSubstr("Should be SERVICE=NUM"));
  EXPECT_THAT(stack({"up", "-d", "--scale", "nope=2"}), ExitsWith(1));
}

TEST_F(ScaleTest, AContainerNameForbidsReplicas) {
  manifest("services: {web: {image: IMAGE, container_name: only-one, scale: 2}}\n");
  EXPECT_THAT(stack({"up", "-d"}), ExitsWith(1));
}

TEST_F(ScaleTest, FiftyContainersComeAndGo) {
  manifest("services: {web: {image: IMAGE, scale: 50}}\n");
  up();
  EXPECT_EQ(containers().size(), 50U);
  must({"down"});
  expect_nothing_left();
}

}  // namespace
}  // namespace e2e
