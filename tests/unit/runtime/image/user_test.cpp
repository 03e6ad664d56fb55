#include "runtime/image/user.hpp"

#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace image {
namespace {

constexpr const char* kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "# a comment:x:1:1::/:\n"
    "broken:x:nonsense:1::/:\n"
    "1000:x:0:0:named like a number:/evil:\n"
    "app:x:500:501:App:/srv/app:/bin/false\r\n"
    "nohome:x:600:600\n";
constexpr const char* kGroup =
    "root:x:0:\n"
    "app:x:501:\n"
    "web:x:33:app,other\n"
    "log:x:34:other,app\n"
    "adm:x:4:root\n"
    "bad:x:-1:app\n"
    "44:x:9:app\n";

struct Row {
  std::string user;
  std::vector<std::string> added;
  User expected;
};

class UserTable : public testing::TestWithParam<Row> {};

TEST_P(UserTable, Resolves) {
  const Row& row = GetParam();
  const User user = resolve_user(row.user, row.added, kPasswd, kGroup);
  EXPECT_EQ(user.uid, row.expected.uid);
  EXPECT_EQ(user.gid, row.expected.gid);
  EXPECT_EQ(user.groups, row.expected.groups);
  EXPECT_EQ(user.home, row.expected.home);
}

INSTANTIATE_TEST_SUITE_P(
    Users, UserTable,
    testing::Values(Row{"", {}, {0, 0, {0, 4}, "/root"}}, Row{"root", {}, {0, 0, {0, 4}, "/root"}},
                    Row{"0", {}, {0, 0, {0, 4}, "/root"}},
                    Row{"app", {}, {500, 501, {501, 33, 34, 9}, "/srv/app"}},
                    Row{"500", {}, {500, 501, {501, 33, 34, 9}, "/srv/app"}},
                    // A group that is given takes the place of all others.
                    Row{"app:web", {}, {500, 33, {33}, "/srv/app"}},
                    Row{"app:33", {}, {500, 33, {33}, "/srv/app"}},
                    Row{"1:2", {}, {1, 2, {2}, "/"}}, Row{"500:0", {}, {500, 0, {0}, "/srv/app"}},
                    // Digits are an id and never a name.
                    Row{"1000", {}, {1000, 0, {0}, "/"}},
                    Row{"1000", {"44"}, {1000, 0, {0, 44}, "/"}},
                    Row{"1000:1000", {"44", "web", "1000"}, {1000, 1000, {1000, 44, 33}, "/"}},
                    Row{"nohome", {}, {600, 600, {600}, "/"}},
                    Row{"2147483647:2147483647", {}, {2147483647, 2147483647, {2147483647}, "/"}}));

TEST(User, WithoutTheFilesNumbersDo) {
  EXPECT_EQ(resolve_user("", {}, "", ""), (User{0, 0, {0}, "/"}));
  EXPECT_EQ(resolve_user("7:8", {"9"}, "", ""), (User{7, 8, {8, 9}, "/"}));
}

std::string failure(const std::string& user, const std::vector<std::string>& added = {}) {
  try {
    resolve_user(user, added, kPasswd, kGroup);
    return "";
  } catch (const os::Error& error) {
    return error.what();
  }
}

TEST(User, ErrorsSpeakTheReferencesWords) {
  EXPECT_EQ(failure("nouser"), "unable to find user nouser: no matching entries in passwd file");
  EXPECT_EQ(failure("0:nogrp"), "unable to find group nogrp: no matching entries in group file");
  EXPECT_EQ(failure("0", {"nogrp"}),
            "unable to find group nogrp: no matching entries in group file");
  for (const char* bad :
       {"4294967296", "2147483648", "-1", "1:-1", "0:4294967296", "99999999999999999999999"})
    EXPECT_NE(failure(bad).find("must be in range 0-2147483647"), std::string::npos) << bad;
  for (const char* bad : {"1x", "0x0", "broken", ":", "1:", ":1", "1:2:3", " 1", "a b"})
    EXPECT_NE(failure(bad), "") << bad;
}

}  // namespace
}  // namespace image
