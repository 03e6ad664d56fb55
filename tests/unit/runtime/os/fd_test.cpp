#include "runtime/os/fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/os/error.hpp"

namespace os {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }
bool is_close_on_exec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

TEST(UniqueFd, ClosesWhatItOwns) {
  int number = -1;
  {
    const UniqueFd fd = open_file("/dev/null", O_RDONLY);
    number = fd.get();
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(UniqueFd, HandsOwnershipOn) {
  UniqueFd first = open_file("/dev/null", O_RDONLY);
  const int number = first.get();
  UniqueFd second = std::move(first);
  EXPECT_EQ(second.get(), number);
  UniqueFd third = open_file("/dev/null", O_RDONLY);
  const int replaced = third.get();
  third = std::move(second);
  EXPECT_FALSE(is_open(replaced));
  EXPECT_EQ(third.release(), number);
  EXPECT_FALSE(third);
  EXPECT_TRUE(is_open(number));
  third.reset(number);
}

TEST(OpenFile, IsCloseOnExecAndNamesWhatFailed) {
  EXPECT_TRUE(is_close_on_exec(open_file("/dev/null", O_RDONLY).get()));
  try {
    open_file("/none/such", O_RDONLY);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ENOENT);
    EXPECT_NE(std::string(error.what()).find("/none/such"), std::string::npos);
  }
}

TEST(Duplicate, IsAnotherCloseOnExecDescriptor) {
  const UniqueFd fd = open_file("/dev/null", O_RDONLY);
  const UniqueFd copy = duplicate(fd.get());
  EXPECT_NE(copy.get(), fd.get());
  EXPECT_TRUE(is_close_on_exec(copy.get()));
}

TEST(ReadAll, ReadsToTheEndOfWhatWasWritten) {
  Pipe pipe = make_pipe();
  EXPECT_TRUE(is_close_on_exec(pipe.read.get()));
  EXPECT_TRUE(is_close_on_exec(pipe.write.get()));
  const std::string data(40000, 'x');
  write_all(pipe.write.get(), data, "pipe");
  pipe.write.reset();
  EXPECT_EQ(read_all(pipe.read.get(), data.size(), "pipe"), data) << "the limit is inclusive";
}

TEST(ReadAll, StopsAtTheLimit) {
  const UniqueFd endless = open_file("/dev/zero", O_RDONLY);
  try {
    read_all(endless.get(), 100000, "zeros");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), EFBIG);
  }
}

TEST(WriteAll, TellsThatTheDeviceIsFull) {
  const UniqueFd full = open_file("/dev/full", O_WRONLY);
  EXPECT_THROW(write_all(full.get(), "x", "full"), Error);
}

TEST(SetNonblocking, TurnsOnAndOff) {
  const Pipe pipe = make_pipe();
  char byte = 0;
  set_nonblocking(pipe.read.get());
  EXPECT_EQ(::read(pipe.read.get(), &byte, 1), -1);
  EXPECT_EQ(errno, EAGAIN);
  set_nonblocking(pipe.read.get(), false);
  EXPECT_EQ(::fcntl(pipe.read.get(), F_GETFL) & O_NONBLOCK, 0);
}

}  // namespace
}  // namespace os
