#include "runtime/image/reference.hpp"

#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace image {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

struct Row {
  std::string text;
  std::string full;
  std::string familiar;
};

class ReferenceTable : public testing::TestWithParam<Row> {};

TEST_P(ReferenceTable, NormalisesAndShortens) {
  const Reference reference = Reference::parse(GetParam().text);
  EXPECT_EQ(reference.text(), GetParam().full);
  EXPECT_EQ(reference.familiar(), GetParam().familiar);
  EXPECT_EQ(Reference::parse(reference.text()), reference);
  EXPECT_EQ(Reference::parse(reference.familiar()), reference);
}

INSTANTIATE_TEST_SUITE_P(
    Names, ReferenceTable,
    testing::Values(
        Row{"nginx", "docker.io/library/nginx:latest", "nginx:latest"},
        Row{"nginx:1.25", "docker.io/library/nginx:1.25", "nginx:1.25"},
        Row{"team/app", "docker.io/team/app:latest", "team/app:latest"},
        Row{"docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest"},
        Row{"index.docker.io/nginx:x", "docker.io/library/nginx:x", "nginx:x"},
        Row{"docker.io/library/nginx", "docker.io/library/nginx:latest", "nginx:latest"},
        Row{"localhost/app", "localhost/app:latest", "localhost/app:latest"},
        Row{"localhost:5000/app:v1", "localhost:5000/app:v1", "localhost:5000/app:v1"},
        Row{"reg.example.com/a/b/c", "reg.example.com/a/b/c:latest",
            "reg.example.com/a/b/c:latest"},
        Row{"REG/app", "REG/app:latest", "REG/app:latest"},
        Row{"[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app:latest"},
        Row{"nginx@" + kDigest, "docker.io/library/nginx@" + kDigest, "nginx@" + kDigest},
        Row{"nginx:1@" + kDigest, "docker.io/library/nginx:1@" + kDigest, "nginx:1@" + kDigest},
        Row{"docker.io/a.b/c", "docker.io/a.b/c:latest", "docker.io/a.b/c:latest"},
        Row{"a__b--c/d.e_f", "docker.io/a__b--c/d.e_f:latest", "a__b--c/d.e_f:latest"},
        Row{"x:" + std::string(128, 't'), "docker.io/library/x:" + std::string(128, 't'),
            "x:" + std::string(128, 't')}));

TEST(Reference, RefusesWhatIsNoName) {
  for (const std::string& bad : std::vector<std::string>{"",
                                                         ":",
                                                         "/",
                                                         "nginx:",
                                                         "nginx:.x",
                                                         "nginx:-x",
                                                         "nginx:" + std::string(129, 't'),
                                                         "Nginx",
                                                         "team/App",
                                                         "a//b",
                                                         "/a",
                                                         "a/",
                                                         "a___b",
                                                         "a..b",
                                                         "_a",
                                                         "a_",
                                                         "a b",
                                                         "a@b",
                                                         "a@sha256:abc",
                                                         "a:b:c",
                                                         "http://a/b",
                                                         "reg.example.com:x/a",
                                                         "reg.example.com:/a",
                                                         "-reg.example.com/a",
                                                         "[zz]/a",
                                                         "[::1/a",
                                                         std::string(256, 'a'),
                                                         std::string(64, 'a'),
                                                         "../../etc/passwd",
                                                         "a\n"})
    EXPECT_THROW(Reference::parse(bad), os::Error) << bad;
}

}  // namespace
}  // namespace image
