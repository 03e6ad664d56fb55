#include "orchestrator/cli/container_view.hpp"

#include <gtest/gtest.h>

namespace cli {
namespace {

const Time kNow = time_of("2026-01-31T09:30:00Z");

TEST(StatusText, TellsStateHealthAndCode) {
  ContainerView view{.state = "running", .started_at = "2026-01-31T09:29:57Z"};
  EXPECT_EQ(status_text(view, kNow), "Up 3 seconds");
  view.status.health = "starting";
  EXPECT_EQ(status_text(view, kNow), "Up 3 seconds (health: starting)");
  view.status.health = "unhealthy";
  EXPECT_EQ(status_text(view, kNow), "Up 3 seconds (unhealthy)");
  view.state = "paused";
  EXPECT_EQ(status_text(view, kNow), "Up 3 seconds (Paused)");
  view = {.state = "exited", .exit_code = 143, .finished_at = "2026-01-31T09:25:00Z"};
  EXPECT_EQ(status_text(view, kNow), "Exited (143) 5 minutes ago");
  view.state = "restarting";
  EXPECT_EQ(status_text(view, kNow), "Restarting (143) 5 minutes ago");
  view.state = "created";
  EXPECT_EQ(status_text(view, kNow), "Created");
}

TEST(PortsText, PutsRangesTogether) {
  EXPECT_EQ(ports_text({{"0.0.0.0", 8080, 80, "tcp"}, {"::", 8080, 80, "tcp"}}, {}),
            "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp");
  EXPECT_EQ(ports_text({{"0.0.0.0", 8001, 81, "tcp"}, {"0.0.0.0", 8000, 80, "tcp"}}, {}),
            "0.0.0.0:8000-8001->80-81/tcp");
  EXPECT_EQ(ports_text({{"", 5353, 53, "udp"}}, {"53/udp", "80/tcp"}),
            "0.0.0.0:5353->53/udp, 80/tcp");
  EXPECT_EQ(ports_text({}, {}), "");
}

TEST(ShortName, IsWithoutTheProject) {
  EXPECT_EQ(short_name({.name = "shop-web-1", .project = "shop"}), "web-1");
  EXPECT_EQ(short_name({.name = "my-own", .project = "shop"}), "my-own");
}

}  // namespace
}  // namespace cli
