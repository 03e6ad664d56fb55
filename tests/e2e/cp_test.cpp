// `cp`, `attach`, `stats`: files, streams and numbers of containers (Compose C4).
#include <sys/stat.h>

#include <filesystem>

#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

namespace fs = std::filesystem;

class CopyTest : public support::StackTest {
 protected:
  Output shell(const std::string& service, const std::string& script) {
    return stack({"exec", "-T", service, "sh", "-c", script});
  }
};

TEST_F(CopyTest, FilesGoInAndOut) {
  manifest("services: {a: {image: IMAGE}}\n");
  up();
  write("in/deep/file", "hello\n", 0640);
  EXPECT_THAT(stack({"cp", "in", "a:/tmp/"}), ExitsWith(0));
  EXPECT_EQ(shell("a", "cat /tmp/in/deep/file; stat -c '%u:%g %a' /tmp/in/deep/file").out,
            "hello\n0:0 640\n");
  EXPECT_THAT(stack({"cp", "a:/tmp/in/deep/file", "back"}), ExitsWith(0));
  EXPECT_EQ(os::read_file(directory() + "/back"), "hello\n");
  EXPECT_THAT(stack({"cp", "a:/seed", "."}), ExitsWith(0));
  EXPECT_EQ(os::read_file(directory() + "/seed/inner/file"), "deeper\n");
  EXPECT_EQ(fs::read_symlink(directory() + "/seed/link"), "file");
  EXPECT_THAT(stack({"cp", "a:/seed/.", "content/"}), ExitsWith(0));
  EXPECT_EQ(os::read_file(directory() + "/content/file"), "from the image\n");
}

TEST_F(CopyTest, OwnersStayWhenAsked) {
  manifest("services: {a: {image: IMAGE}}\n");
  up();
  struct stat status {};
  EXPECT_THAT(stack({"cp", "a:/seed/file", "plain"}), ExitsWith(0));
  ASSERT_EQ(::stat((directory() + "/plain").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 0U);
  EXPECT_THAT(stack({"cp", "-a", "a:/seed/file", "kept"}), ExitsWith(0));
  ASSERT_EQ(::stat((directory() + "/kept").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 1000U);
}

TEST_F(CopyTest, ATarStreamBothWays) {
  manifest("services: {a: {image: IMAGE}, b: {image: IMAGE}}\n");
  up();
  const Output tar = stack({"cp", "a:/seed", "-"});
  ASSERT_THAT(tar, ExitsWith(0));
  write("seed.tar", tar.out);
  CommandOptions options;
  options.input = directory() + "/seed.tar";
  EXPECT_THAT(stack({"cp", "-", "b:/var"}, options), ExitsWith(0));
  EXPECT_EQ(shell("b", "cat /var/seed/inner/file").out, "deeper\n");
}

TEST_F(CopyTest, IntoEveryReplicaAndWhatIsMounted) {
  manifest("services: {a: {image: IMAGE, scale: 2, volumes: ['data:/data']}}\nvolumes: {data: }\n");
  up();
  write("file", "x\n");
  EXPECT_THAT(stack({"cp", "file", "a:/tmp/file"}), ExitsWith(0));
  EXPECT_EQ(must({"exec", "-T", "--index", "1", "a", "cat", "/tmp/file"}), "x\n");
  EXPECT_EQ(must({"exec", "-T", "--index", "2", "a", "cat", "/tmp/file"}), "x\n");
  EXPECT_THAT(stack({"cp", "--index", "1", "file", "a:/data/file"}), ExitsWith(0));
  EXPECT_EQ(must({"exec", "-T", "--index", "2", "a", "cat", "/data/file"}), "x\n");
}

TEST_F(CopyTest, AStoppedContainerToo) {
  manifest("services: {a: {image: IMAGE}}\n");
  must({"create"});
  write("file", "x\n");
  EXPECT_THAT(stack({"cp", "file", "a:/seed/new"}), ExitsWith(0));
  must({"start"});
  EXPECT_EQ(shell("a", "cat /seed/new; stat -c %a /; echo y > /seed/y").out, "x\n755\n");
  must({"stop"});
  EXPECT_THAT(stack({"cp", "a:/seed/y", "y"}), ExitsWith(0));
  EXPECT_EQ(os::read_file(directory() + "/y"), "y\n");
}

// What a container makes of its own file system must not lead the copy out of it, nor out of the
// directory that it is copied to.
TEST_F(CopyTest, HostileLinksLeadNowhere) {
  manifest("services: {a: {image: IMAGE}}\n");
  up();
  write("outside/secret", "secret\n");
  write("outside/victim", "safe\n");
  write("file", "changed\n");
  const std::string outside = directory() + "/outside";
  ASSERT_THAT(shell("a", "ln -s " + outside + " /tmp/out; ln -s " + outside +
                             "/victim /tmp/victim; mkdir /tmp/t; ln -s /proc/1/root" + outside +
                             " /tmp/root; ln -s ../../../../../../../.." + outside + " /tmp/up"),
              ExitsWith(0));
  for (const char* way : {"out", "root", "up"}) {
    EXPECT_THAT(stack({"cp", std::string("a:/tmp/") + way + "/secret", "got"}), ExitsWith(1))
        << way;
    EXPECT_THAT(stack({"cp", "file", std::string("a:/tmp/") + way + "/victim"}), ExitsWith(1))
        << way;
  }
  EXPECT_FALSE(os::exists(directory() + "/got"));
  stack({"cp", "file", "a:/tmp/victim"});
  EXPECT_EQ(os::read_file(outside + "/victim"), "safe\n");
  // A directory in the container that is a link here.
  fs::create_symlink(outside, directory() + "/t");
  ASSERT_THAT(shell("a", "echo bad > /tmp/t/victim"), ExitsWith(0));
  stack({"cp", "a:/tmp/t", directory()});
  EXPECT_EQ(os::read_file(outside + "/victim"), "safe\n");
}

TEST_F(CopyTest, ExportHasTheFilesWithoutWhatIsMounted) {
  manifest("services: {a: {image: IMAGE, volumes: ['data:/data']}}\nvolumes: {data: }\n");
  up();
  ASSERT_THAT(shell("a", "echo v > /data/file; echo new > /seed/new; rm /seed/file"), ExitsWith(0));
  EXPECT_THAT(stack({"export", "-o", "a.tar", "a"}), ExitsWith(0));
  CommandOptions options;
  options.input = directory() + "/a.tar";
  const Output imported = stack({"import", "-", project() + "-saved"}, options);
  ASSERT_THAT(imported, ExitsWith(0));
  manifest("services: {a: {image: " + project() + "-saved, command: probe serve}}\n");
  up();
  EXPECT_EQ(shell("a", "ls /seed /data /proc/self/comm").out,
            "/proc/self/comm\n\n/data:\n\n/seed:\ninner\nlink\nnew\n");
}

TEST_F(CopyTest, RmTakesEndedOneOffsToo) {
  manifest("services: {a: {image: IMAGE}}\n");
  EXPECT_THAT(stack({"run", "-T", "a", "true"}), ExitsWith(0));
  EXPECT_EQ(containers().size(), 1U);
  EXPECT_THAT(stack({"rm", "-f", "a"}), ExitsWith(0));
  EXPECT_TRUE(containers().empty());
}

TEST_F(CopyTest, VolumesAreThoseOfTheProject) {
  manifest("services: {a: {image: IMAGE, volumes: ['data:/data']}}\nvolumes: {data: }\n");
  must({"volume", "create", project() + "-other"});
  must({"create"});
  EXPECT_EQ(must({"volumes", "-q"}), project() + "_data\n");
  must({"volume", "rm", project() + "-other"});
}

TEST_F(CopyTest, MistakesAreNamed) {
  manifest("services: {a: {image: IMAGE}}\n");
  up();
  const auto says = [&](const std::vector<std::string>& words, const std::string& text) {
    const Output output = stack(words);
    EXPECT_THAT(output, ExitsWith(1));
    EXPECT_THAT(output.err, HasSubstr(text));
  };
  says({"cp", "a:/nope", "."}, "Could not find the file /nope in container " + project() + "-a-1");
  says({"cp", "a:/seed", "a:/x"}, "copying between services is not supported");
  says({"cp", "x", "y"}, "unknown copy direction");
  says({"cp", "compose.yaml", "a:/not/there"}, "does not exist");
  says({"cp", "a:/seed", "compose.yaml"}, "cannot copy a directory to the file");
}

TEST_F(CopyTest, AttachShowsWhatIsSaidFromNowOnAndEndsWithIt) {
  manifest(
      "services: {a: {image: IMAGE, stdin_open: true, command: sh -c "
      "'echo before; while read line; do echo got $$line; done; exit 5'}}\n");
  up();
  ASSERT_TRUE(wait_until([&] { return logs("a") == "before\n"; }));
  CommandOptions options;
  options.open_input = true;
  Command command = start({"attach", "a"}, options);
  ASSERT_TRUE(wait_until(
      [&] {
        command.write_input("line\n");
        return command.out().find("got line\n") != std::string::npos;
      },
      seconds(10)));
  EXPECT_EQ(command.out().find("before"), std::string::npos);
  command.close_input();  // ours, not the container's
  must({"exec", "-T", "a", "true"});
  EXPECT_FALSE(command.has_ended());
  must({"kill"});
  EXPECT_THAT(command.wait(seconds(20)), ExitsWith(137));
}

TEST_F(CopyTest, AttachPassesSignalsAndReturnsTheExitCode) {
  manifest(
      "services: {a: {image: IMAGE, command: [sh, -c, 'trap \"echo caught; exit 3\" INT; "
      "while :; do echo tick; sleep 0.1; done']}}\n");
  up();
  Command onlooker = start({"attach", "--sig-proxy=false", "a"});
  ASSERT_TRUE(onlooker.wait_for_output("tick"));
  onlooker.send_signal(SIGINT);
  EXPECT_THAT(onlooker.wait(seconds(20)), ExitsWith(130));
  EXPECT_EQ(state("a"), "running");
  Command command = start({"attach", "a"});
  ASSERT_TRUE(command.wait_for_output("tick"));
  command.send_signal(SIGINT);
  const Output output = command.wait(seconds(20));
  EXPECT_THAT(output, ExitsWith(3));
  EXPECT_THAT(output.out, HasSubstr("caught"));
}

TEST_F(CopyTest, AttachLetsGoByItsKeys) {
  manifest("services: {a: {image: IMAGE, tty: true, stdin_open: true, command: sh}}\n");
  up();
  CommandOptions options;
  options.terminal = true;
  Command command = start({"attach", "a"}, options);
  command.write_input("echo $((20+3))x\n");
  ASSERT_TRUE(command.wait_for_output("23x"));
  command.write_input("\x10\x11");
  EXPECT_THAT(command.wait(seconds(20)), ExitsWith(0));
  EXPECT_EQ(state("a"), "running");
  const Output nobody = stack({"attach", "--index", "7", "a"});
  EXPECT_THAT(nobody, ExitsWith(1));
  EXPECT_THAT(nobody.err, HasSubstr("is not running container #7"));
}

TEST_F(CopyTest, StatsOnceAndAgain) {
  manifest(
      "services: {a: {image: IMAGE, command: \"sh -c 'while :; do :; done'\", mem_limit: 64m}}\n");
  up();
  const auto once = json_lines(must({"stats", "--no-stream", "--format", "json"}));
  ASSERT_EQ(once.size(), 1U);
  EXPECT_EQ(once[0].at("Name"), project() + "-a-1");
  EXPECT_GT(std::stod(once[0].at("CPUPerc").get<std::string>()), 0.0);
  EXPECT_THAT(once[0].at("MemUsage").get<std::string>(), HasSubstr(" / 64MiB"));
  EXPECT_THAT(once[0].at("NetIO").get<std::string>(), MatchesRegex("[0-9.]+k?B / [0-9.]+k?B"));
  Command command = start({"stats", "--format", "{{.Name}}"});
  ASSERT_TRUE(command.wait_for_output("-a-1\n" + project() + "-a-1\n"));
  command.send_signal(SIGINT);
  EXPECT_THAT(command.wait(seconds(20)), ExitsWith(130));
}

}  // namespace
}  // namespace e2e
