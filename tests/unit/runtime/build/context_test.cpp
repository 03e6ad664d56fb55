#include "runtime/build/context.hpp"

#include <gtest/gtest.h>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace build {
namespace {

TEST(Context, IsToldByItsText) {
  EXPECT_EQ(context_kind("-"), ContextKind::archive);
  EXPECT_EQ(context_kind("https://h/r.git#main:d"), ContextKind::git);
  EXPECT_EQ(context_kind("git@h:r"), ContextKind::git);
  EXPECT_EQ(context_kind("github.com/a/b"), ContextKind::git);
  EXPECT_EQ(context_kind("https://h/x.tar.gz"), ContextKind::url);
  EXPECT_EQ(context_kind("/nonexistent"), ContextKind::directory);
  EXPECT_EQ(context_kind("oci-layout://x"), ContextKind::directory);
  EXPECT_THROW(context_kind("https://h/r.git#-x"), os::Error);
}

TEST(Context, WhatIsThereCountsFirst) {
  const os::TempDir directory("/tmp", "context-");
  EXPECT_EQ(context_kind(directory.path()), ContextKind::directory);
  os::write_file_atomic(directory.path() + "/git@h:r", "x");
  EXPECT_EQ(context_kind(directory.path() + "/git@h:r"), ContextKind::archive);
}

TEST(Context, RemoteOnesByTheirTextAlone) {
  EXPECT_TRUE(is_remote_context("https://h/x"));
  EXPECT_TRUE(is_remote_context("ssh://h/r"));
  EXPECT_TRUE(is_remote_context("github.com/a/b"));
  EXPECT_FALSE(is_remote_context("a/b"));
  EXPECT_FALSE(is_remote_context("-"));
}

}  // namespace
}  // namespace build
