#include "runtime/build/git_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/os/error.hpp"

namespace build {
namespace {

GitSource read(const std::string& text) {
  const auto source = parse_git_source(text, false);
  EXPECT_TRUE(source) << text;
  return source.value_or(GitSource{});
}

TEST(GitSource, RepositoriesInAllTheirForms) {
  for (const std::string& remote : std::vector<std::string>{
           "https://example.com/a/b.git", "http://127.0.0.1:80/b.git", "ssh://git@host:22/a/b",
           "git://host/b", "git@host:a/b.git", "me@host.example.com:b"})
    EXPECT_EQ(read(remote), GitSource{.remote = remote});
}

TEST(GitSource, OthersAreNone) {
  for (const std::string& text : std::vector<std::string>{
           "", ".", "a/b", "./a.git", "/a.git", "https://example.com/b.tar.gz",
           "https://example.com/b.git/x", "file:///a.git", "ext::sh -c x", "oci-layout://x",
           "docker-image://a@b:c", "a:b", "@host:b", "git@host", "github.com/a/b"})
    EXPECT_FALSE(parse_git_source(text, false)) << text;
}

TEST(GitSource, TheShorthandCountsWhereNoPathIsMeant) {
  EXPECT_EQ(parse_git_source("github.com/a/b#v1:d", true),
            (GitSource{.remote = "https://github.com/a/b", .ref = "v1", .subdirectory = "d"}));
  EXPECT_FALSE(parse_git_source("github.com/", true));
  EXPECT_FALSE(parse_git_source("github.community/a", true));
}

TEST(GitSource, RefAndDirectoryInTheFragment) {
  EXPECT_EQ(read("https://h/r.git#v1").ref, "v1");
  EXPECT_EQ(read("https://h/r.git#feature/x:a/./b/").ref, "feature/x");
  EXPECT_EQ(read("https://h/r.git#feature/x:a/./b/").subdirectory, "a/b");
  EXPECT_EQ(read("git@h:r.git#:d").subdirectory, "d");
  EXPECT_EQ(read("git@h:r.git#:../../d").subdirectory, "d") << "the repository is not left";
  EXPECT_EQ(read("https://h/r.git#"), GitSource{.remote = "https://h/r.git"});
}

TEST(GitSource, TheQuerySaysTheSameAndMore) {
  EXPECT_EQ(
      read("https://h/r.git?tag=v1&subdir=a&checksum=0123abc&keep-git-dir=1&submodules=false"),
      (GitSource{.remote = "https://h/r.git",
                 .ref = "refs/tags/v1",
                 .subdirectory = "a",
                 .checksum = "0123abc",
                 .submodules = false,
                 .keep_git_directory = true}));
  EXPECT_EQ(read("https://h/r.git?branch=a%2Fb").ref, "refs/heads/a/b");
  EXPECT_EQ(read("https://h/r.git?ref=x&keep-git-dir").ref, "x");
  EXPECT_TRUE(read("https://h/r.git?ref=x&keep-git-dir").keep_git_directory);
}

TEST(GitSource, WhatCannotBeIsRefused) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"https://h/r.git#--upload-pack=x", "cannot be a branch"},
      {"https://h/r.git#a..b", "cannot be a branch"},
      {"https://h/r.git#a b", "cannot be a branch"},
      {"https://h/r.git?ref=a&tag=b", "several refs"},
      {"https://h/r.git?ref=a#b", "several refs"},
      {"https://h/r.git?reff=a", "'reff' is unknown"},
      {"https://h/r.git?submodules=maybe", "true or false"},
      {"https://h/r.git?checksum=xyz", "is no commit"},
      {"ssh://-oProxyCommand=x/r", "no host"},
      {"ssh://a@-oProxyCommand=x/r", "no host"},
      {"https:///r.git", "no host"},
      {"https://h/a b.git", "a space"}};
  for (const auto& [text, why] : rows) {
    try {
      parse_git_source(text, false);
      ADD_FAILURE() << text;
    } catch (const os::Error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(why));
    }
  }
}

TEST(GitSource, PasswordsAreNotShown) {
  EXPECT_EQ(shown_remote("https://me:secret@h/r.git"), "https://me:***@h/r.git");
  EXPECT_EQ(shown_remote("https://me@h:80/r.git"), "https://me@h:80/r.git");
  EXPECT_EQ(shown_remote("https://h:80/a@b.git"), "https://h:80/a@b.git");
  EXPECT_EQ(shown_remote("git@h:r"), "git@h:r");
}

TEST(GitSource, Commits) {
  EXPECT_TRUE(is_commit(std::string(40, 'a')));
  EXPECT_TRUE(is_commit(std::string(64, '0')));
  EXPECT_FALSE(is_commit(std::string(39, 'a')));
  EXPECT_FALSE(is_commit(std::string(40, 'g')));
}

}  // namespace
}  // namespace build
