// Mounts taken from elsewhere: other containers (`volumes_from`), images, parts of a volume
// (Compose A8, D10).
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

class VolumesFromTest : public support::StackTest {
 protected:
  Output shell(const std::string& service, const std::string& script) {
    return stack({"exec", "-T", service, "sh", "-c", script});
  }
};

TEST_F(VolumesFromTest, MountsWhatTheOtherMounts) {
  write("host/file", "of the host\n");
  manifest(R"(
services:
  source:
    image: IMAGE
    volumes: ['data:/data', /anonymous, './host:/host:ro']
  reader: {image: IMAGE, volumes_from: ['source:ro']}
  writer: {image: IMAGE, volumes_from: [source], volumes: ['own:/data']}
  further: {image: IMAGE, volumes_from: [writer]}
volumes: {data: , own: }
)");
  up();
  EXPECT_THAT(shell("source", "echo one > /data/x; echo two > /anonymous/x"), ExitsWith(0));
  EXPECT_EQ(shell("reader", "cat /data/x /anonymous/x /host/file").out, "one\ntwo\nof the host\n");
  EXPECT_NE(shell("reader", "echo no > /data/y").code, 0);
  EXPECT_NE(shell("reader", "echo no > /anonymous/y").code, 0);
  // Its own mount wins on the same target.
  EXPECT_THAT(shell("writer", "test ! -e /data/x && echo mine > /data/z && echo w > /anonymous/w"),
              ExitsWith(0));
  EXPECT_EQ(shell("further", "cat /data/z /anonymous/x").out, "mine\ntwo\n");
  EXPECT_NE(shell("writer", "echo no > /host/y").code, 0) << "read-only stays read-only";
  EXPECT_EQ(shell("source", "cat /anonymous/w").out, "w\n");
}

TEST_F(VolumesFromTest, AnAnonymousVolumeStaysWithItsOwner) {
  manifest(R"(
services:
  source: {image: IMAGE, volumes: [/anonymous]}
  user: {image: IMAGE, volumes_from: ['source']}
)");
  up();
  EXPECT_THAT(shell("source", "echo kept > /anonymous/x"), ExitsWith(0));
  const Output once = stack({"run", "--rm", "-T", "user", "cat", "/anonymous/x"});
  EXPECT_EQ(once.out, "kept\n") << once;
  EXPECT_EQ(shell("source", "cat /anonymous/x").out, "kept\n");
  EXPECT_THAT(stack({"rm", "-fsv", "user"}), ExitsWith(0));
  EXPECT_EQ(shell("source", "cat /anonymous/x").out, "kept\n");
}

TEST_F(VolumesFromTest, AContainerByName) {
  manifest(R"(
services:
  source: {image: IMAGE, container_name: PROJECT-origin, volumes: ['data:/data']}
volumes: {data: }
)");
  std::string text = os::read_file(directory() + "/compose.yaml");
  const auto replace = [&](const std::string& what, const std::string& with) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
      text.replace(at, what.size(), with);
  };
  replace("PROJECT", project());
  write("compose.yaml", text);
  up();
  EXPECT_THAT(shell("source", "echo one > /data/x"), ExitsWith(0));
  replace("volumes: {data: }", "  user: {image: " + support::kImage +
                                   ", volumes_from: ['container:" + project() +
                                   "-origin:ro']}\nvolumes: {data: }");
  write("compose.yaml", text);
  up();
  EXPECT_EQ(shell("user", "cat /data/x").out, "one\n");
  replace("-origin:ro", "-nothing");
  write("compose.yaml", text);
  const Output missing = stack({"up", "-d"});
  EXPECT_THAT(missing, ExitsWith(1));
  EXPECT_THAT(missing.err, HasSubstr("no such container: " + project() + "-nothing"));
}

TEST_F(VolumesFromTest, AnImageIsMountedReadOnly) {
  manifest(R"(
services:
  a:
    image: IMAGE
    volumes:
      - {type: image, source: IMAGE, target: /mnt/all}
      - {type: image, source: b, target: /mnt/part, image: {subpath: seed/inner}}
      - {type: image, source: IMAGE, target: /mnt/file, image: {subpath: seed/link}}
  b: {image: IMAGE}
)");
  up();
  EXPECT_EQ(shell("a", "cat /mnt/all/seed/file /mnt/part/file /mnt/file").out,
            "from the image\ndeeper\nfrom the image\n");
  EXPECT_NE(shell("a", "echo no > /mnt/all/new").code, 0);
  EXPECT_NE(shell("a", "echo no > /mnt/part/new").code, 0);
}

TEST_F(VolumesFromTest, AnImageThatIsMountedKeepsItsFiles) {
  manifest("services: {a: {image: IMAGE}}\n");
  must({"create"});
  must({"export", "-o", "files.tar", "a"});
  support::CommandOptions options;
  options.input = directory() + "/files.tar";
  const std::string other = project() + "-other";
  ASSERT_THAT(stack({"import", "-", other}, options), ExitsWith(0));
  manifest(R"(
services:
  a: {image: IMAGE, volumes: [{type: image, source: )" +
           other + ", target: /mnt}]}\n");
  up();
  stack({"rmi", other});
  must({"restart"});
  EXPECT_EQ(shell("a", "cat /mnt/seed/file").out, "from the image\n");
}

TEST_F(VolumesFromTest, AMissingImageOrPartIsNamed) {
  manifest(R"(
services:
  a:
    image: IMAGE
    volumes: [{type: image, source: nothing-like-it, target: /mnt}]
)");
  const Output image = stack({"up", "-d"});
  EXPECT_THAT(image, ExitsWith(1));
  EXPECT_THAT(image.err,
              AllOf(HasSubstr("compose.yaml:5:"), HasSubstr("no such image: nothing-like-it")));
  manifest(R"(
services:
  a:
    image: IMAGE
    volumes: [{type: image, source: IMAGE, target: /mnt, image: {subpath: ../../nowhere}}]
)");
  const Output part = stack({"up", "-d"});
  EXPECT_THAT(part, ExitsWith(1));
  EXPECT_THAT(part.err, HasSubstr("open subpath '../../nowhere' of image"));
}

TEST_F(VolumesFromTest, APartOfAVolume) {
  manifest(R"(
services:
  whole: {image: IMAGE, volumes: ['data:/data']}
volumes: {data: }
)");
  up();
  EXPECT_THAT(shell("whole",
                    "mkdir /data/part && echo x > /data/part/file && "
                    "ln -s /etc /data/etc && ln -s ../../../../../etc /data/up"),
              ExitsWith(0));
  const auto with_part = [&](const std::string& part) {
    manifest(R"(
services:
  whole: {image: IMAGE, volumes: ['data:/data']}
  a:
    image: IMAGE
    volumes: [{type: volume, source: data, target: /mnt, volume: {subpath: )" +
             part + "}}]\nvolumes: {data: }\n");
  };
  with_part("part");
  up();
  EXPECT_EQ(shell("a", "ls /mnt").out, "file\n");
  for (const char* hostile : {"etc", "up", "../../..", "nothing"}) {
    with_part(hostile);
    const Output output = stack({"up", "-d"});
    if (std::string(hostile) == "../../..") {  // as far up as the volume goes
      EXPECT_THAT(output, ExitsWith(0));
      EXPECT_THAT(shell("a", "ls /mnt").out, HasSubstr("part"));
    } else {
      EXPECT_THAT(output, ExitsWith(1)) << hostile;
    }
  }
}

}  // namespace
}  // namespace e2e
