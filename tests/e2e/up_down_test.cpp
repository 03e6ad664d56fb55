// `up` and `down`: what they make, what they leave alone, what they take away (Compose C4, C5, C6).
#include <nlohmann/json.hpp>

#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class UpTest : public support::StackTest {};
class DownTest : public support::StackTest {};

constexpr const char* kTwoServices = R"(
services:
  web: {image: IMAGE, depends_on: [db]}
  db: {image: IMAGE}
)";

TEST_F(UpTest, StartsEveryService) {
  manifest(kTwoServices);
  const Output output = stack({"up", "-d"});
  ASSERT_THAT(output, ExitsWith(0));
  EXPECT_EQ(output.out, "") << "progress belongs to standard error (C1.1, C1.2)";
  EXPECT_THAT(output.err, AllOf(HasSubstr("Container " + project() + "-web-1 Started"),
                                HasSubstr("Network " + project() + "_default Created")));
  EXPECT_EQ(state("web"), "running");
  EXPECT_EQ(state("db"), "running");
}

// C6: a dependency has started before the service that names it is started.
TEST_F(UpTest, StartsDependenciesFirst) {
  manifest(kTwoServices);
  up();
  EXPECT_LT(state_record("db").at("started_at"), state_record("web").at("started_at"));
}

TEST_F(UpTest, LeavesAnUnchangedStackAlone) {
  manifest(kTwoServices);
  up();
  const std::string before = id("web");
  const pid_t pid = init_pid("web");
  const Output again = stack({"up", "-d"});
  ASSERT_THAT(again, ExitsWith(0));
  EXPECT_THAT(again.err, AllOf(HasSubstr("Running"), Not(HasSubstr("Started"))));
  EXPECT_EQ(id("web"), before);
  EXPECT_EQ(init_pid("web"), pid);
}

// C5: changed services are recreated, and the reason names the keys.
TEST_F(UpTest, RecreatesWhatHasChanged) {
  manifest(kTwoServices);
  up();
  const std::string web = id("web"), db = id("db");
  manifest(R"(
services:
  web: {image: IMAGE, depends_on: [db], environment: {COLOUR: blue}}
  db: {image: IMAGE}
)");
  const Output changed = stack({"up", "-d"});
  ASSERT_THAT(changed, ExitsWith(0));
  EXPECT_THAT(changed.err, HasSubstr("environment"));
  EXPECT_NE(id("web"), web);
  EXPECT_EQ(id("db"), db);
  EXPECT_EQ(ask("web", {"env", "COLOUR"}), "blue\n");
}

TEST_F(UpTest, DoesNotRecreateForWhatIsNotInTheHash) {
  manifest("services: {web: {image: IMAGE}}\n");
  up();
  const std::string before = id("web");
  manifest("x-note: other\nservices: {web: {image: IMAGE, scale: 1, profiles: []}}\n");
  up();
  EXPECT_EQ(id("web"), before);
}

TEST_F(UpTest, ForceRecreateMakesNewContainers) {
  manifest(kTwoServices);
  up();
  const std::string web = id("web");
  up({"--force-recreate"});
  EXPECT_NE(id("web"), web);
  EXPECT_EQ(containers().size(), 2U);
}

TEST_F(UpTest, DryRunPrintsThePlanAndDoesNothing) {
  manifest(kTwoServices);
  const Output plan = stack({"up", "--dry-run", "-d"});
  ASSERT_THAT(plan, ExitsWith(0));
  EXPECT_THAT(plan.out + plan.err,
              AllOf(HasSubstr(project() + "-web-1"), HasSubstr(project() + "-db-1")));
  EXPECT_THAT(containers(), IsEmpty());
  expect_nothing_left();
}

TEST_F(UpTest, NamedServicesBringTheirDependenciesUnlessToldNot) {
  manifest(R"(
services:
  web: {image: IMAGE, depends_on: [db]}
  db: {image: IMAGE}
  other: {image: IMAGE}
)");
  up({"--no-deps", "web"});
  EXPECT_EQ(containers().size(), 1U);
  up({"web"});
  EXPECT_EQ(state("db"), "running");
  EXPECT_EQ(state("other"), "");
}

TEST_F(UpTest, NamesOrphansAndRemovesThemWhenTold) {
  manifest("services: {old: {image: IMAGE}, web: {image: IMAGE}}\n");
  up();
  manifest("services: {web: {image: IMAGE}}\n");
  const Output warned = stack({"up", "-d"});
  ASSERT_THAT(warned, ExitsWith(0));
  EXPECT_THAT(warned.err, AllOf(HasSubstr("orphan"), HasSubstr(project() + "-old-1"),
                                HasSubstr("--remove-orphans")));
  up({"--remove-orphans"});
  EXPECT_EQ(containers().size(), 1U);
}

TEST_F(UpTest, StartsStoppedContainersAgain) {
  manifest(kTwoServices);
  up();
  const std::string web = id("web");
  must({"stop", "web"});
  EXPECT_EQ(state("web"), "exited");
  up();
  EXPECT_EQ(state("web"), "running");
  EXPECT_EQ(id("web"), web);
}

TEST_F(UpTest, RunsCompletedJobsAgain) {
  manifest("services: {job: {image: IMAGE, command: probe say out:done}}\n");
  up();
  ASSERT_TRUE(wait_until([&] { return state("job") == "exited"; }));
  up();
  EXPECT_TRUE(wait_until([&] { return logs("job") == "done\ndone\n"; }));
}

TEST_F(UpTest, NoStartOnlyCreates) {
  manifest(kTwoServices);
  up({"--no-start"});
  EXPECT_EQ(state("web"), "created");
}

TEST_F(UpTest, PullsNothingAndSaysSoWhenTheImageIsMissing) {
  manifest("services: {web: {image: no-such-image, pull_policy: never}}\n");
  const Output output = stack({"up", "-d"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, HasSubstr("no-such-image"));
}

// ---- waiting (C4 `--wait`, C7)

TEST_F(UpTest, WaitReturnsOnceHealthy) {
  manifest(R"(
services:
  web:
    image: IMAGE
    command: sh -c 'sleep 0.3; touch /tmp/ready; exec probe serve'
    healthcheck: {test: [CMD, probe, exists, /tmp/ready], interval: 1s, retries: 10}
)");
  up({"--wait"});
  EXPECT_EQ(container("web").at("Health"), "healthy");
}

TEST_F(UpTest, WaitFailsWhenAContainerEnds) {
  manifest("services: {web: {image: IMAGE, command: probe exit 3 100}}\n");
  const Output output = stack({"up", "-d", "--wait"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, HasSubstr(project() + "-web-1 exited (3)"));
}

TEST_F(UpTest, WaitTimeoutGivesUp) {
  manifest(R"(
services:
  web: {image: IMAGE, healthcheck: {test: [CMD, probe, exists, /never], interval: 1s, retries: 100}}
)");
  const Output output = stack({"up", "-d", "--wait", "--wait-timeout", "1"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, HasSubstr("not healthy after 1s"));
  EXPECT_EQ(state("web"), "running");
}

TEST_F(UpTest, HoldsDependentsUntilTheirConditions) {
  manifest(R"(
services:
  web:
    image: IMAGE
    depends_on:
      db: {condition: service_healthy}
      migrate: {condition: service_completed_successfully}
  db:
    image: IMAGE
    command: sh -c 'sleep 0.3; touch /tmp/ready; exec probe serve'
    healthcheck: {test: [CMD, probe, exists, /tmp/ready], interval: 1s, retries: 10}
  migrate:
    image: IMAGE
    command: probe exit 0 200
    depends_on: {db: {condition: service_healthy}}
)");
  up();
  EXPECT_EQ(state("web"), "running");
  EXPECT_EQ(container("db").at("Health"), "healthy");
  EXPECT_EQ(state("migrate"), "exited");
  EXPECT_LT(record("migrate").at("outcome").at("finished_at"),
            state_record("web").at("started_at"));
}

// The end of an `up` whose dependency fails: the chain of causes, the last probe's output and the
// culprit's last lines.
TEST_F(UpTest, TellsWhyADependencyFailed) {
  manifest(R"(
services:
  front: {image: IMAGE, depends_on: {web: {condition: service_healthy}}}
  web:
    image: IMAGE
    depends_on: {db: {condition: service_healthy}}
    healthcheck: {test: [CMD, "true"]}
  db:
    image: IMAGE
    command: sh -c 'echo cannot open the data file; exec probe serve'
    healthcheck: {test: "echo no answer from the database; exit 1", interval: 1s, retries: 2}
)");
  const Output output = stack({"up", "-d"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(
      output.err,
      AllOf(HasSubstr("dependency failed to start: container " + project() + "-db-1 is unhealthy"),
            HasSubstr("no answer from the database"), HasSubstr("cannot open the data file"),
            HasSubstr("web"), HasSubstr("front")));
  EXPECT_EQ(state("front"), "created");
  EXPECT_EQ(state("db"), "running");
}

TEST_F(UpTest, TellsWhatAFailedJobSaid) {
  manifest(R"(
services:
  web: {image: IMAGE, depends_on: {job: {condition: service_completed_successfully}}}
  job: {image: IMAGE, command: "sh -c 'echo table is missing; exit 7'"}
)");
  const Output output = stack({"up", "-d"});
  EXPECT_THAT(output, ExitsWith(1));
  EXPECT_THAT(output.err, AllOf(HasSubstr("service \"job\" didn't complete successfully: exit 7"),
                                HasSubstr("table is missing")));
}

TEST_F(UpTest, GoesOnWithoutAnOptionalDependency) {
  manifest(R"(
services:
  web:
    image: IMAGE
    depends_on: {job: {condition: service_completed_successfully, required: false}}
  job: {image: IMAGE, command: probe exit 1}
)");
  const Output output = stack({"up", "-d"});
  EXPECT_THAT(output, ExitsWith(0));
  EXPECT_THAT(output.err, AllOf(HasSubstr("level=warning"), HasSubstr("optional dependency"),
                                HasSubstr("failed to start")));
  EXPECT_EQ(state("web"), "running");
}

// ---- in the foreground

TEST_F(UpTest, ForegroundShowsLogsAndEndsWithTheLastContainer) {
  manifest(R"(
services:
  a: {image: IMAGE, command: probe say out:hello err:trouble}
  b: {image: IMAGE, command: probe exit 3 300}
)");
  const Output output = stack({"up"});
  EXPECT_THAT(output, ExitsWith(0));
  EXPECT_THAT(output.out,
              AllOf(HasSubstr("Attaching to a-1, b-1"), HasSubstr("a-1  | hello"),
                    HasSubstr("a-1 exited with code 0"), HasSubstr("b-1 exited with code 3")));
  EXPECT_THAT(output.err, HasSubstr("a-1  | trouble"));
}

TEST_F(UpTest, InterruptStopsGracefully) {
  manifest("services: {web: {image: IMAGE, command: probe serve}}\n");
  Command command = start({"up"});
  ASSERT_TRUE(command.wait_for_output("web-1  | ready"));
  command.send_signal(SIGINT);
  const Output output = command.wait(seconds(20));
  EXPECT_THAT(output, ExitsWith(130));
  EXPECT_THAT(output.out + output.err,
              AllOf(HasSubstr("Gracefully Stopping"), HasSubstr("signal 15")));
  EXPECT_EQ(state("web"), "exited");
}

TEST_F(UpTest, SecondInterruptKills) {
  manifest("services: {web: {image: IMAGE, command: probe ignore-term, stop_grace_period: 60s}}\n");
  Command command = start({"up"});
  ASSERT_TRUE(command.wait_for_output("web-1  | ready"));
  command.send_signal(SIGINT);
  ASSERT_TRUE(wait_until(
      [&] { return (command.out() + command.err()).find("Gracefully") != std::string::npos; }));
  command.send_signal(SIGINT);
  EXPECT_THAT(command.wait(seconds(20)), ExitsWith(130));
  EXPECT_TRUE(wait_until([&] { return state("web") == "exited"; }, seconds(10)));
}

TEST_F(UpTest, AbortOnContainerExitReturnsTheFirstCode) {
  manifest(R"(
services:
  web: {image: IMAGE}
  job: {image: IMAGE, command: probe exit 5 200}
)");
  const Output output = stack({"up", "--abort-on-container-exit"});
  EXPECT_THAT(output, ExitsWith(5));
  EXPECT_EQ(state("web"), "exited");
}

TEST_F(UpTest, ExitCodeFromReturnsThatServicesCode) {
  manifest(R"(
services:
  web: {image: IMAGE, command: probe serve 9}
  job: {image: IMAGE, command: probe exit 5 200}
)");
  EXPECT_THAT(stack({"up", "--exit-code-from", "web"}), ExitsWith(9));
  EXPECT_THAT(stack({"up", "--exit-code-from", "nope"}), ExitsWith(1));
}

TEST_F(UpTest, RefusesFlagsThatContradict) {
  manifest(kTwoServices);
  EXPECT_NE(stack({"up", "-d", "--abort-on-container-exit"}).code, 0);
  EXPECT_NE(stack({"up", "--force-recreate", "--no-recreate"}).code, 0);
  EXPECT_THAT(containers(), IsEmpty());
}

TEST_F(UpTest, WritesATraceOfItsSteps) {
  manifest(kTwoServices);
  up({"--trace", directory() + "/trace.json"});
  const auto trace = nlohmann::json::parse(os::read_file(directory() + "/trace.json"));
  const nlohmann::json& events = trace.is_array() ? trace : trace.at("traceEvents");
  ASSERT_GT(events.size(), 2U);
  EXPECT_TRUE(events.front().contains("ph"));
  EXPECT_TRUE(events.front().contains("ts"));
}

// ---- down

TEST_F(DownTest, RemovesAllAndLeavesNothing) {
  manifest(kTwoServices);
  up();
  const Output output = stack({"down"});
  ASSERT_THAT(output, ExitsWith(0));
  EXPECT_THAT(output.err, AllOf(HasSubstr("Container " + project() + "-web-1 Removed"),
                                HasSubstr("Network " + project() + "_default Removed")));
  EXPECT_THAT(containers(), IsEmpty());
  EXPECT_TRUE(wait_until([this] { return !supervisor_pid(); }));
  expect_nothing_left();
}

// C6: a container is signalled only after all its dependents have stopped.
TEST_F(DownTest, StopsInReverseOrder) {
  manifest(R"(
services:
  web: {image: IMAGE, depends_on: [db], command: "sh -c 'trap \"sleep 0.3; exit 0\" TERM; while :; do sleep 0.05; done'"}
  db: {image: IMAGE}
)");
  up();
  must({"stop"});
  EXPECT_LE(record("web").at("outcome").at("finished_at"),
            record("db").at("outcome").at("finished_at"));
}

TEST_F(DownTest, IsContentWhenThereIsNothing) {
  manifest(kTwoServices);
  EXPECT_THAT(stack({"down"}), ExitsWith(0));
}

TEST_F(DownTest, RemovesOneServiceWhenNamed) {
  manifest(kTwoServices);
  up();
  must({"down", "web"});
  EXPECT_EQ(state("web"), "");
  EXPECT_EQ(state("db"), "running");
}

TEST_F(DownTest, KillsWhatDoesNotStopInTime) {
  manifest("services: {web: {image: IMAGE, command: probe ignore-term}}\n");
  up();
  const auto begin = std::chrono::steady_clock::now();
  must({"down", "-t", "1"});
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(took, seconds(1));
  EXPECT_LT(took, seconds(6));
}

TEST_F(DownTest, RemovesOrphansOnlyWhenTold) {
  manifest("services: {old: {image: IMAGE}, web: {image: IMAGE}}\n");
  up();
  manifest("services: {web: {image: IMAGE}}\n");
  must({"down"});
  manifest("services: {old: {image: IMAGE}, web: {image: IMAGE}}\n");
  EXPECT_EQ(state("old"), "running");
  manifest("services: {web: {image: IMAGE}}\n");
  must({"down", "--remove-orphans"});
  expect_nothing_left();
}

TEST_F(DownTest, WorksWithoutTheFileByTheProjectsName) {
  manifest(kTwoServices);
  up();
  support::CommandOptions elsewhere;
  elsewhere.working_directory = "/tmp";
  EXPECT_THAT(stack({"-p", project(), "down"}, elsewhere), ExitsWith(0));
  expect_nothing_left();
}

TEST_F(DownTest, TwoStacksOfOneFileDoNotMeet) {
  manifest("services: {web: {image: IMAGE, command: probe http 80}}\n");
  up();
  must({"-p", project() + "b", "up", "-d"});
  must({"down"});
  EXPECT_THAT(must({"-p", project() + "b", "ps", "-q"}), Not(IsEmpty()));
  must({"-p", project() + "b", "down"});
  expect_nothing_left();
}

}  // namespace
}  // namespace e2e
