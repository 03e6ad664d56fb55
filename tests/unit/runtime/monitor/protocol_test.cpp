#include "runtime/monitor/protocol.hpp"

#include <gtest/gtest.h>

#include "runtime/os/channel.hpp"
#include "runtime/os/error.hpp"

namespace monitor {
namespace {

void feed(Handshake& handshake, std::initializer_list<Signal> signals) {
  for (const Signal signal : signals) handshake.on(signal);
}

TEST(Handshake, FollowsThePicture) {
  Handshake handshake(false);
  feed(handshake, {Signal::go, Signal::joined, Signal::apply, Signal::ready, Signal::run});
  EXPECT_EQ(handshake.phase(), Handshake::Phase::running);
}

TEST(Handshake, TakesTheTerminalOnceBeforeReady) {
  Handshake handshake(true);
  feed(handshake, {Signal::go, Signal::joined, Signal::apply});
  EXPECT_THROW(handshake.on(Signal::ready), os::Error);
  handshake.on(Signal::terminal);
  EXPECT_THROW(handshake.on(Signal::terminal), os::Error);
  feed(handshake, {Signal::ready, Signal::run});
  EXPECT_EQ(handshake.phase(), Handshake::Phase::running);
}

TEST(Handshake, RefusesEveryMessageOutOfTurn) {
  constexpr Signal kOrder[] = {Signal::go, Signal::joined, Signal::apply, Signal::ready,
                               Signal::run};
  for (std::size_t done = 0; done <= std::size(kOrder); ++done) {
    for (std::size_t next = 0; next < std::size(kOrder); ++next) {
      if (next == done) continue;
      Handshake handshake(false);
      for (std::size_t i = 0; i < done; ++i) handshake.on(kOrder[i]);
      EXPECT_THROW(handshake.on(kOrder[next]), os::Error) << done << " then " << next;
    }
  }
}

TEST(Handshake, RefusesATerminalThatNobodyAskedFor) {
  Handshake handshake(false);
  feed(handshake, {Signal::go, Signal::joined, Signal::apply});
  EXPECT_THROW(handshake.on(Signal::terminal), os::Error);
}

TEST(Handshake, EndsWithAFailureAtAnyPoint) {
  Handshake handshake(false);
  feed(handshake, {Signal::go, Signal::failed});
  EXPECT_EQ(handshake.phase(), Handshake::Phase::failed);
  EXPECT_THROW(handshake.on(Signal::joined), os::Error);
}

TEST(SyncMessage, SurvivesTheWay) {
  SyncMessage message;
  message.signal = Signal::failed;
  message.failure = {Stage::mount, ENOSPC, "mount overlay on '/x': No space left on device"};
  const SyncMessage read = decode(encode(message));
  EXPECT_EQ(read.signal, Signal::failed);
  EXPECT_EQ(read.failure.stage, Stage::mount);
  EXPECT_EQ(read.failure.errnum, ENOSPC);
  EXPECT_EQ(read.failure.message, message.failure.message);
}

TEST(SyncMessage, CutsALongText) {
  SyncMessage message;
  message.signal = Signal::failed;
  message.failure.message = std::string(100'000, 'x');
  EXPECT_EQ(decode(encode(message)).failure.message.size(), 1024U);
}

TEST(SyncMessage, RefusesWhatIsNone) {
  EXPECT_THROW(decode(""), os::Error);
  EXPECT_THROW(decode(std::string(12, '\0')), os::Error);
  EXPECT_THROW(decode(std::string(12, '\x7f')), os::Error);
  EXPECT_THROW(decode(std::string(100'000, '\1')), os::Error);
}

TEST(SyncChannel, PassesAFailureOn) {
  auto [left, right] = os::make_channel();
  SyncChannel host(std::move(left), false);
  SyncChannel child(std::move(right), false);
  host.send(Signal::go);
  child.expect(Signal::go, std::chrono::seconds(1));
  SyncMessage message;
  message.signal = Signal::failed;
  message.failure = {Stage::pivot, EINVAL, "pivot"};
  child.send(std::move(message));
  try {
    host.expect(Signal::joined, std::chrono::seconds(1));
    FAIL() << "no failure arrived";
  } catch (const StageError& error) {
    EXPECT_EQ(error.failure().stage, Stage::pivot);
    EXPECT_EQ(error.failure().errnum, EINVAL);
  }
}

TEST(SyncChannel, TellsAPeerThatIsGoneFromOneThatIsSlow) {
  auto [left, right] = os::make_channel();
  SyncChannel host(std::move(left), false);
  host.send(Signal::go);
  try {
    host.expect(Signal::joined, std::chrono::milliseconds(1));
    FAIL();
  } catch (const os::Error& error) {
    EXPECT_EQ(error.code(), ETIMEDOUT);
  }
  right.reset();
  try {
    host.expect(Signal::joined, std::chrono::seconds(1));
    FAIL();
  } catch (const os::Error& error) {
    EXPECT_EQ(error.code(), EPIPE);
  }
}

TEST(Failure, MapsToTheExitCodesOfAShell) {
  EXPECT_EQ((Failure{Stage::lookup, ENOENT, ""}.exit_code()), 127);
  EXPECT_EQ((Failure{Stage::exec, ENOTDIR, ""}.exit_code()), 127);
  EXPECT_EQ((Failure{Stage::lookup, EACCES, ""}.exit_code()), 126);
  EXPECT_EQ((Failure{Stage::exec, ENOEXEC, ""}.exit_code()), 126);
  EXPECT_EQ((Failure{Stage::lookup, EISDIR, ""}.exit_code()), 126);
  EXPECT_EQ((Failure{Stage::mount, ENOENT, ""}.exit_code()), 125);
}

}  // namespace
}  // namespace monitor
