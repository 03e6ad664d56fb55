#include "manifests/tree_path.hpp"

#include <gtest/gtest.h>

namespace manifests {
namespace {

TEST(TreePath, ReadsAsDotsAndIndexes) {
  EXPECT_EQ(dotted({"services", "web", "ports", index_segment(0)}), "services.web.ports[0]");
  EXPECT_EQ(dotted({}), "");
}

TEST(TreePath, MatchesSegmentBySegment) {
  EXPECT_TRUE(matches({"services", "a.b", "ports", "[3]"}, "services.*.ports.*"));
  EXPECT_FALSE(matches({"services", "a"}, "services.*.ports"));
  EXPECT_FALSE(matches({"services", "a", "ports", "[0]"}, "services.*.ports"));
  EXPECT_FALSE(matches({"volumes", "a", "ports"}, "services.*.ports"));
}

TEST(TreePath, DescentEndsWithItsScope) {
  TreePath path{"a"};
  {
    const Descent descent(path, "b");
    EXPECT_EQ(dotted(path), "a.b");
  }
  EXPECT_EQ(dotted(path), "a");
}

}  // namespace
}  // namespace manifests
