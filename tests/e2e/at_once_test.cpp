// Many at the same time: different stacks, and one stack from several shells.
#include <thread>

#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class AtOnceTest : public support::StackTest {
 protected:
  std::string name(int number) const { return project() + "x" + std::to_string(number); }
};

TEST_F(AtOnceTest, TenDifferentStacks) {
  constexpr int kStacks = 10;
  manifest(R"(
services:
  web: {image: IMAGE, command: probe http 80, ports: ["80"], depends_on: [db]}
  db: {image: IMAGE, volumes: ["data:/data"]}
volumes: {data: }
)");
  std::vector<Command> ups;
  for (int i = 0; i < kStacks; ++i) ups.push_back(start({"-p", name(i), "up", "-d"}));
  for (Command& command : ups) EXPECT_THAT(command.wait(), ExitsWith(0));
  std::set<std::string> ports;
  for (int i = 0; i < kStacks; ++i) {
    const auto all = json_lines(must({"-p", name(i), "ps", "--all", "--format", "json"}));
    EXPECT_EQ(all.size(), 2U) << name(i);
    for (const auto& one : all) EXPECT_EQ(one.at("State"), "running") << one;
    const std::string address = must({"-p", name(i), "port", "web", "80"});
    ports.insert(address);
    const int port = std::stoi(address.substr(address.rfind(':') + 1));
    EXPECT_TRUE(
        support::wait_until([&] { return support::http_get("127.0.0.1", port).has_value(); }));
  }
  EXPECT_EQ(ports.size(), static_cast<std::size_t>(kStacks)) << "each has a port of its own";
  std::vector<Command> downs;
  for (int i = 0; i < kStacks; ++i) downs.push_back(start({"-p", name(i), "down", "-v"}));
  for (Command& command : downs) EXPECT_THAT(command.wait(), ExitsWith(0));
  expect_nothing_left();
}

// What a person expects of `up` and `down` that meet: the one that gives way says so.
TEST_F(AtOnceTest, OneStackFromFourShells) {
  constexpr int kShells = 4, kRounds = 6;
  manifest(R"(
services:
  a: {image: IMAGE}
  b: {image: IMAGE, depends_on: [a]}
)");
  std::vector<std::vector<Output>> said(kShells);
  std::vector<std::thread> shells;
  for (int shell = 0; shell < kShells; ++shell)
    shells.emplace_back([&, shell] {
      for (int round = 0; round < kRounds; ++round) {
        const bool down = (round + shell) % 2 == 1;
        said[static_cast<std::size_t>(shell)].push_back(
            stack(down ? std::vector<std::string>{"down"} : std::vector<std::string>{"up", "-d"}));
      }
    });
  for (std::thread& shell : shells) shell.join();
  for (const auto& outputs : said)
    for (const Output& output : outputs)
      EXPECT_TRUE(output.code == 0 ||
                  output.err.find("of the same project was called meanwhile") != std::string::npos)
          << output;
  up();
  EXPECT_EQ(containers().size(), 2U);
  must({"down"});
  expect_nothing_left();
}

}  // namespace
}  // namespace e2e
