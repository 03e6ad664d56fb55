#include "orchestrator/cli/console.hpp"

#include <gtest/gtest.h>

namespace cli {
namespace {

TEST(FailureText, IsAChainWithProbeAndLog) {
  const orchestrator::protocol::Json event = {
      {"event", "error"},
      {"message", "dependency failed to start: container shop-db-1 is unhealthy"},
      {"causes", {"web waits for db"}},
      {"container", "shop-db-1"},
      {"probe_output", "no answer\n"},
      {"log", {"starting", "disk full"}}};
  EXPECT_EQ(failure_text(event),
            "dependency failed to start: container shop-db-1 is unhealthy\n"
            "  because web waits for db\n"
            "  the last health probe of shop-db-1 said:\n"
            "    no answer\n"
            "  the last lines of its log (`stack logs` shows all):\n"
            "    starting\n"
            "    disk full\n");
}

TEST(FailureText, NeedsNothingButAMessage) {
  EXPECT_EQ(failure_text({{"event", "error"}, {"message", "no"}}), "no\n");
}

TEST(LogLine, CanBeTakenApart) {
  EXPECT_EQ(log_line("2026-01-31T09:30:00Z", "warning", "say \"hi\"\n"),
            "time=\"2026-01-31T09:30:00Z\" level=warning msg=\"say \\\"hi\\\"\\n\"\n");
}

}  // namespace
}  // namespace cli
