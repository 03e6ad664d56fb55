// A SIGKILL at any moment of an `up`, and hundreds of ups and downs: the next command mends what is
// half made, and in the end the host is as it was, to the file and to the descriptor.
#include <filesystem>
#include <iostream>
#include <random>
#include <set>

#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

class CrashMomentsTest : public support::StackTest {
 protected:
  /// Every path below the data and the run directory but the journal of the last project.
  std::set<std::string> paths() const {
    std::set<std::string> found;
    for (const std::string& top : {data_directory(), run_directory()})
      for (const auto& entry : std::filesystem::recursive_directory_iterator(top))
        found.insert(entry.path().string());
    return found;
  }
  /// What is in the directories now and was not in `before`.
  std::vector<std::string> added_since(const std::set<std::string>& before) const {
    std::vector<std::string> added;
    for (const std::string& path : paths())
      if (!before.contains(path)) added.push_back(path);
    return added;
  }
  void expect_all_run(const std::vector<std::string>& services) {
    const auto all = containers();
    EXPECT_EQ(all.size(), services.size());
    for (const nlohmann::json& one : all) EXPECT_EQ(one.at("State"), "running") << one;
  }
  static std::size_t descriptors(pid_t pid) {
    return os::list_directory("/proc/" + std::to_string(pid) + "/fd").size();
  }
};

constexpr const char* kStack = R"(
services:
  a: {image: IMAGE, command: probe http 80 a, ports: ["PORT:80"], volumes: ["data:/data"]}
  b:
    image: IMAGE
    depends_on: {a: {condition: service_healthy}}
    configs: [text]
  c: {image: IMAGE, depends_on: [b], restart: always, networks: [default, other]}
volumes: {data: }
networks: {other: {}}
configs: {text: {content: words}}
)";

std::string stack_at(int port) {
  std::string text = kStack;
  text.replace(text.find("PORT"), 4, std::to_string(port));
  text.replace(text.find("command: probe http 80 a"), 24,
               "command: probe http 80 a, healthcheck: {test: [CMD, probe, get, 127.0.0.1, '80'], "
               "interval: 1s}");
  return text;
}

TEST_F(CrashMomentsTest, AnUpThatIsKilledAtAnyMomentIsMendedByTheNext) {
  constexpr int kMoments = 50;
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  manifest(stack_at(support::free_port()));
  up();
  must({"down", "--volumes"});
  const auto begin = steady_clock::now();
  up();
  const auto whole = std::chrono::duration_cast<microseconds>(steady_clock::now() - begin);
  must({"down", "--volumes"});
  const std::set<std::string> before = paths();

  std::vector<int> moments(kMoments);
  for (int i = 0; i < kMoments; ++i) moments[static_cast<std::size_t>(i)] = i;
  std::shuffle(moments.begin(), moments.end(), random);
  std::uniform_real_distribution<double> within(0, 1);
  int round = 0;
  for (const int moment : moments) {
    // Spread evenly over the time that one takes: each its own part of it.
    const auto after =
        std::chrono::duration_cast<microseconds>(whole * ((moment + within(random)) / kMoments));
    SCOPED_TRACE("killed after " + std::to_string(after.count()) + " of " +
                 std::to_string(whole.count()) + " us, round " + std::to_string(round));
    Command command = start({"up", "-d"});
    std::this_thread::sleep_for(after);
    command.send_signal(SIGKILL);
    if (round % 2 == 1)
      if (const auto pid = supervisor_pid()) ::kill(*pid, SIGKILL);
    command.wait();
    if (round % 5 != 4) {  // else `down` has it as it is
      EXPECT_THAT(stack({"up", "-d"}), ExitsWith(0));
      expect_all_run({"a", "b", "c"});
    }
    EXPECT_THAT(stack({"down", "--volumes", "--timeout", "5"}), ExitsWith(0));
    expect_nothing_left();
    EXPECT_TRUE(wait_until([&] { return added_since(before).empty(); }, seconds(5)))
        << testing::PrintToString(added_since(before));
    if (HasFailure()) break;
    ++round;
  }
}

TEST_F(CrashMomentsTest, HundredsOfUpsAndDownsLeaveNothing) {
  constexpr int kRounds = 200;
  // What stays meanwhile: another stack, and this process.
  manifest("services: {web: {image: IMAGE, command: probe http 80}}\n");
  const std::string neighbour = project() + "n";
  must({"-p", neighbour, "up", "-d"});
  manifest("services: {a: {image: IMAGE, ports: ['" + std::to_string(support::free_port()) +
           ":80']}}\n");
  const auto round = [&] {
    ASSERT_THAT(stack({"up", "-d"}), ExitsWith(0));
    ASSERT_THAT(stack({"down"}), ExitsWith(0));
  };
  for (int i = 0; i < 3; ++i) round();
  const auto host = support::HostSnapshot::take();
  const std::set<std::string> before = paths();
  std::map<std::string, std::size_t> open;
  const auto count_all = [&] {
    std::map<std::string, std::size_t> counts;
    for (const std::string& one : support::stack_processes())
      counts[one] = descriptors(std::stoi(one));
    counts["the test"] = descriptors(::getpid());
    return counts;
  };
  const auto descriptors_before = count_all();
  EXPECT_EQ(descriptors_before.size(), 4U) << "supervisor, monitor and program of the neighbour: "
                                           << testing::PrintToString(descriptors_before);
  for (int i = 0; i < kRounds && !HasFatalFailure(); ++i) round();
  std::vector<std::string> left;
  wait_until([&] { return (left = support::HostSnapshot::take().added_since(host)).empty(); },
             seconds(5));
  EXPECT_THAT(left, IsEmpty());
  EXPECT_THAT(added_since(before), IsEmpty());
  EXPECT_EQ(count_all(), descriptors_before);
  must({"-p", neighbour, "down"});
}

}  // namespace
}  // namespace e2e
