#include "runtime/os/process.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace os {
namespace {

SpawnOptions shell(const std::string& script) {
  return {.executable = "/bin/sh", .arguments = {"sh", "-c", script}};
}

/// What a script writes to its standard output.
std::string output_of(SpawnOptions options) {
  Pipe pipe = make_pipe();
  options.descriptors.emplace_back(pipe.write.get(), 1);
  Child child = spawn(options);
  pipe.write.reset();
  std::string text = read_all(pipe.read.get(), kSmallFile, "pipe");
  child.wait();
  return text;
}

/// A child that lives until the test lets go of its standard input.
struct Waiting {
  Pipe pipe = make_pipe();
  Child child = spawn(
      {.executable = "/bin/cat", .arguments = {"cat"}, .descriptors = {{pipe.read.get(), 0}}});
};

// Compose D7.1: the process's own code, or 128 + the signal.
TEST(Child, TellsHowItEnded) {
  EXPECT_EQ(spawn(shell("exit 3")).wait().code, 3);
  const ExitStatus killed = spawn(shell("kill -TERM $$")).wait();
  EXPECT_EQ(killed.code, 143);
  EXPECT_EQ(killed.signal, SIGTERM);
}

TEST(Child, IsNotWaitedForWhileItRuns) {
  Waiting waiting;
  EXPECT_FALSE(waiting.child.try_wait());
  EXPECT_FALSE(waiting.child.pidfd().has_exited());
  EXPECT_TRUE(waiting.child.pidfd().send_signal(SIGKILL));
  EXPECT_EQ(waiting.child.wait().code, 137);
}

TEST(Child, IsKilledAndReapedWhenItGoes) {
  std::optional<Pidfd> pidfd;
  {
    Waiting waiting;
    pidfd = Pidfd::open(waiting.child.pid());
    ASSERT_TRUE(pidfd);
  }
  EXPECT_TRUE(pidfd->has_exited());
  EXPECT_FALSE(pidfd->send_signal(SIGTERM)) << "it is gone";
}

TEST(Identity, TellsAProcessFromALaterOneOfTheSamePid) {
  const auto self = identify(::getpid());
  ASSERT_TRUE(self);
  EXPECT_TRUE(Pidfd::open(*self));
  ProcessIdentity other = *self;
  ++other.start_time;
  EXPECT_FALSE(Pidfd::open(other));
  EXPECT_FALSE(Pidfd::open(ProcessIdentity{}));
}

TEST(Identity, IsNothingForAProcessThatIsGone) {
  Child child = spawn(shell("exit 0"));
  const pid_t pid = child.pid();
  child.wait();
  EXPECT_FALSE(identify(pid));
  EXPECT_FALSE(Pidfd::open(pid));
}

TEST(Spawn, NamesWhatCannotBeStarted) {
  try {
    spawn({.executable = "/none/such", .arguments = {"such"}});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ENOENT);
    EXPECT_STREQ(error.what(), "start '/none/such': No such file or directory");
  }
}

TEST(Spawn, GivesExactlyTheEnvironment) {
  SpawnOptions options{.executable = "/usr/bin/env", .arguments = {"env"}};
  options.environment = {"A=1", "B=two words"};
  EXPECT_EQ(output_of(options), "A=1\nB=two words\n");
}

TEST(Spawn, PassesDescriptorsOnAndNoOthers) {
  const Pipe secret = make_pipe();
  const Pipe given = make_pipe();
  SpawnOptions options = shell("for n in " + std::to_string(secret.write.get()) +
                               " 9; do test -e /proc/self/fd/$n && echo $n;"
                               " done; readlink /proc/self/fd/0");
  options.descriptors = {{given.write.get(), 9}};
  EXPECT_EQ(output_of(options), "9\n/dev/null\n");
}

TEST(Spawn, SwapsDescriptorsWithoutLosingOne) {
  const TempDir directory;
  const std::string one = directory.path() + "/one";
  const std::string two = directory.path() + "/two";
  const UniqueFd first = open_file(one, O_CREAT | O_WRONLY, 0600);
  const UniqueFd second = open_file(two, O_CREAT | O_WRONLY, 0600);
  SpawnOptions options = shell("echo to-first >&8; echo to-second >&9");
  options.descriptors = {{first.get(), 8}, {second.get(), 9}};
  spawn(options).wait();
  EXPECT_EQ(read_file(one), "to-first\n");
  EXPECT_EQ(read_file(two), "to-second\n");
}

TEST(Spawn, StartsASessionOfItsOwn) {
  Waiting same;
  Pipe pipe = make_pipe();
  const Child apart = spawn({.executable = "/bin/cat",
                             .arguments = {"cat"},
                             .descriptors = {{pipe.read.get(), 0}},
                             .new_session = true});
  EXPECT_EQ(::getsid(same.child.pid()), ::getsid(0));
  EXPECT_EQ(::getsid(apart.pid()), apart.pid());
}

TEST(BootId, IsOneLine) {
  EXPECT_EQ(boot_id().size(), 36U);
  EXPECT_EQ(boot_id().find('\n'), std::string::npos);
}

}  // namespace
}  // namespace os
