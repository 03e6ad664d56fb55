#include "runtime/os/undo.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace os {
namespace {

using testing::ElementsAre;

TEST(Undo, TakesBackInReverseOrder) {
  std::vector<int> done;
  {
    Undo undo;
    for (const int step : {1, 2, 3}) undo.add([&done, step] { done.push_back(step); });
  }
  EXPECT_THAT(done, ElementsAre(3, 2, 1));
}

TEST(Undo, LeavesCommittedWorkAlone) {
  std::vector<int> done;
  {
    Undo undo;
    undo.add([&] { done.push_back(1); });
    undo.commit();
    undo.add([&] { done.push_back(2); });
  }
  EXPECT_THAT(done, ElementsAre(2)) << "only what came after the commit";
}

TEST(Undo, GoesOnAfterAStepThatFails) {
  std::vector<int> done;
  Undo undo;
  undo.add([&] { done.push_back(1); });
  undo.add([] { throw std::runtime_error("busy"); });
  undo.run();
  EXPECT_THAT(done, ElementsAre(1));
}

TEST(Undo, RunsEachStepOnce) {
  std::vector<int> done;
  {
    Undo undo;
    undo.add([&] { done.push_back(1); });
    undo.run();
    EXPECT_THAT(done, ElementsAre(1));
  }
  EXPECT_THAT(done, ElementsAre(1));
}

}  // namespace
}  // namespace os
