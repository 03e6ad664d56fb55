#include "orchestrator/protocol.hpp"

#include <gtest/gtest.h>

namespace orchestrator::protocol {
namespace {

template <class Message>
Message sent(const Message& message) {
  return Json::parse(Json(message).dump()).get<Message>();
}

TEST(Protocol, UpArrivesAsItWasSent) {
  Up up;
  up.stack = {{"name", "shop"}};
  up.config_files = {"/shop/compose.yaml", "/shop/compose.override.yaml"};
  up.services = {"web"};
  up.scale = {{"web", 3}};
  up.no_deps = true;
  up.wait_timeout = 0;
  const Up read = sent(up);
  EXPECT_EQ(Json(read), Json(up));
  EXPECT_EQ(read.scale.at("web"), 3);
  EXPECT_TRUE(read.no_deps);
  EXPECT_FALSE(read.no_start);
  EXPECT_EQ(read.wait_timeout, 0) << "zero is not the same as not given";
  EXPECT_EQ(read.timeout, kUnset);
}

TEST(Protocol, DownAndLifecycleArriveAsTheyWereSent) {
  Down down;
  down.volumes = true;
  down.remove_images = "local";
  down.timeout = 5;
  EXPECT_EQ(sent(down).remove_images, "local");
  EXPECT_EQ(Json(sent(down)), Json(down));
  EXPECT_TRUE(sent(down).stack.is_null()) << "only the project's name is known";

  Lifecycle kill;
  kill.services = {"web", "db"};
  kill.signal = "HUP";
  EXPECT_EQ(sent(kill).signal, "HUP");
  EXPECT_EQ(Json(sent(kill)), Json(kill));
}

TEST(Protocol, RunTellsAnEmptyEntrypointFromNone) {
  protocol::Run run;
  run.service = "web";
  run.command = {"sh", "-c", "echo \"a b\""};
  run.has_entrypoint = true;
  run.environment = {{"A", "1"}};
  const protocol::Run read = sent(run);
  EXPECT_TRUE(read.has_entrypoint);
  EXPECT_TRUE(read.entrypoint.empty());
  EXPECT_EQ(read.command, run.command);
  EXPECT_EQ(Json(read), Json(run));
}

TEST(Protocol, KeepsDefaultsOfWhatIsMissingAndIgnoresWhatIsUnknown) {
  const Up up = Json::parse(R"({"wait":true,"of_a_later_version":1})").get<Up>();
  EXPECT_TRUE(up.wait);
  EXPECT_EQ(up.timeout, kUnset);
  EXPECT_TRUE(up.services.empty());
}

TEST(Protocol, RejectsAMemberOfTheWrongType) {
  EXPECT_THROW(Json::parse(R"({"services":"web"})").get<Up>(), Json::exception);
}

TEST(Protocol, WritesEvents) {
  EXPECT_EQ(progress("Container", "shop-db-1", "Started", true).dump(),
            R"({"event":"progress","kind":"Container","name":"shop-db-1","status":"Started",)"
            R"("final":true})");
  EXPECT_EQ(warning("late").dump(), R"({"event":"warning","message":"late"})");
  EXPECT_EQ(done(3).dump(), R"({"event":"done","exit_code":3})");
}

}  // namespace
}  // namespace orchestrator::protocol
