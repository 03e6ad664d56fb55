#include "runtime/os/channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace os {
namespace {

int code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return 0;
}

TEST(Channel, KeepsTheBordersOfMessages) {
  const auto [left, right] = make_channel();
  send_message(left.get(), "one");
  send_message(left.get(), "two");
  EXPECT_EQ(receive_message(right.get())->data, "one");
  EXPECT_EQ(receive_message(right.get())->data, "two");
}

TEST(Channel, CarriesDescriptorsThatCloseOnExec) {
  const auto [left, right] = make_channel();
  Pipe pipe = make_pipe();
  send_message(left.get(), "take these", {pipe.write.get(), pipe.read.get()});
  pipe.write.reset();
  auto message = receive_message(right.get());
  ASSERT_TRUE(message);
  ASSERT_EQ(message->fds.size(), 2U);
  EXPECT_NE(::fcntl(message->fds[0].get(), F_GETFD) & FD_CLOEXEC, 0);
  write_all(message->fds[0].get(), "through", "pipe");
  message->fds[0].reset();
  EXPECT_EQ(read_all(pipe.read.get(), 100, "pipe"), "through");
}

TEST(Channel, EndsWhenThePeerIsGone) {
  auto [left, right] = make_channel();
  left.reset();
  EXPECT_EQ(code_of([&, &peer = right] { send_message(peer.get(), "anyone?"); }), EPIPE);
  EXPECT_FALSE(receive_message(right.get()));
}

TEST(Channel, RefusesWhatIsTooLong) {
  const auto [left, right] = make_channel();
  const int socket = left.get();
  EXPECT_EQ(code_of([&] { send_message(socket, std::string(kMaxMessage + 1, 'x')); }), EMSGSIZE);
  send_message(socket, std::string(kMaxMessage, 'x'));
  EXPECT_EQ(receive_message(right.get())->data.size(), kMaxMessage);
}

TEST(Channel, DoesNotWaitWhenNonblocking) {
  const auto [left, right] = make_channel();
  const int socket = right.get();
  set_nonblocking(socket);
  EXPECT_EQ(code_of([&] { receive_message(socket); }), EAGAIN);
}

TEST(Channel, ListensAtAPathThatOthersCannotOpen) {
  const TempDir directory;
  const std::string path = directory.path() + "/socket";
  EXPECT_FALSE(connect_channel(path)) << "nothing is there";
  {
    const UniqueFd listener = listen_channel(path);
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_TRUE(connect_channel(path));
  }
  EXPECT_FALSE(connect_channel(path)) << "nobody listens any more";
  EXPECT_NO_THROW(listen_channel(path)) << "what a crash left is replaced";
}

TEST(Channel, ReachesASocketInADeepDirectory) {
  const TempDir directory;
  const std::string deep = directory.path() + "/" + std::string(100, 'a') + "/b";
  make_directories(deep);
  EXPECT_FALSE(connect_channel(deep + "/socket"));
  EXPECT_FALSE(connect_channel(deep + "/nowhere/socket"));
  const UniqueFd listener = listen_channel(deep + "/socket");
  EXPECT_TRUE(connect_channel(deep + "/socket"));
}

TEST(Channel, RefusesAPathThatDoesNotFit) {
  EXPECT_EQ(code_of([] { listen_channel("/tmp/" + std::string(108, 'x')); }), ENAMETOOLONG);
}

}  // namespace
}  // namespace os
