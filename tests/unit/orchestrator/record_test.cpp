#include "orchestrator/record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/os/file.hpp"

namespace orchestrator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

class RecordTest : public testing::Test {
 protected:
  ContainerRecord write(const std::string& project, const std::string& name) {
    ContainerRecord record{.id = make_container_id(), .name = name, .project = project};
    create_record(paths_, record);
    return record;
  }
  std::vector<std::string> names(const std::string& project = {}) {
    std::vector<std::string> found;
    broken_.clear();
    for (const ContainerRecord& record : read_records(paths_, project, &broken_))
      found.push_back(record.name);
    return found;
  }

  const os::TempDir directory_;
  const Paths paths_{.data = directory_.path() + "/data", .run = directory_.path() + "/run"};
  std::vector<std::string> broken_;
};

TEST_F(RecordTest, IsReadAsItWasWritten) {
  ContainerRecord record{.id = make_container_id(),
                         .name = "shop-web-2",
                         .project = "shop",
                         .service = "web",
                         .number = 2,
                         .image = "app:1",
                         .image_id = "sha256:1",
                         .model = {{"name", "shop"}},
                         .fingerprint = {{"image", "app:1"}},
                         .config_hash = "abc",
                         .labels = {{"k", "v"}},
                         .volumes = {{"shop_data", "/data", true}},
                         .created_at = "2026-01-31T09:30:00Z",
                         .stopped_by_user = true,
                         .outcome = Outcome{.exit_code = 137, .oom_killed = true, .error = "e"}};
  create_record(paths_, record);
  const auto records = read_records(paths_);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(Json(records[0]), Json(record));
  EXPECT_EQ(records[0].id, record.id);
  ASSERT_EQ(records[0].volumes.size(), 1U);
  EXPECT_TRUE(records[0].volumes[0].anonymous);
  EXPECT_TRUE(records[0].stopped_by_user);
  ASSERT_TRUE(records[0].outcome);
  EXPECT_EQ(records[0].outcome->exit_code, 137);
  EXPECT_TRUE(records[0].outcome->oom_killed);
}

TEST_F(RecordTest, HasNoOutcomeBeforeItEnded) {
  write("shop", "shop-web-1");
  EXPECT_FALSE(read_records(paths_).at(0).outcome);
}

TEST_F(RecordTest, AreListedByNameAndProject) {
  EXPECT_THAT(names(), IsEmpty()) << "nothing was ever written";
  write("shop", "shop-web-1");
  write("shop", "shop-db-1");
  write("blog", "blog-web-1");
  EXPECT_THAT(names("shop"), ElementsAre("shop-db-1", "shop-web-1"));
  EXPECT_THAT(names(), ElementsAre("blog-web-1", "shop-db-1", "shop-web-1"));
}

TEST_F(RecordTest, WhatACrashLeftOfOneIsNoneAndGoes) {
  const ContainerRecord kept = write("shop", "shop-web-1");
  // As it is between the two steps of making or removing one.
  const std::string mine = paths_.container(".shop.0123456789ab");
  const std::string others = paths_.container(".shopping.0123456789ab");
  for (const std::string& directory : {mine, others}) {
    os::make_directories(directory + "/upper");
    os::write_file_atomic(directory + "/record.json.aB3dE9", "{");
  }
  EXPECT_THAT(names(), ElementsAre("shop-web-1"));
  EXPECT_THAT(broken_, IsEmpty());
  sweep_containers(paths_, "shop");
  EXPECT_FALSE(os::exists(mine));
  EXPECT_TRUE(os::exists(others));
  EXPECT_THAT(names(), ElementsAre("shop-web-1"));
  remove_container_directory(paths_, kept);
  EXPECT_THAT(os::list_directory(paths_.containers()), ElementsAre(".shopping.0123456789ab"));
}

TEST_F(RecordTest, ABrokenOneHidesNoOther) {
  write("shop", "shop-web-1");
  const ContainerRecord cut = write("shop", "shop-db-1");
  os::write_file_atomic(paths_.container(cut.short_id()) + "/record.json", "{\"id\": \"");
  EXPECT_THAT(names(), ElementsAre("shop-web-1"));
  EXPECT_THAT(broken_, ElementsAre(HasSubstr(cut.short_id())));
}

TEST_F(RecordTest, IsNotTakenFromAnothersDirectory) {
  const ContainerRecord record = write("shop", "shop-web-1");
  os::make_directories(paths_.container("0123456789ab"));
  os::write_file_atomic(paths_.container("0123456789ab") + "/record.json", Json(record).dump());
  EXPECT_THAT(names(), ElementsAre("shop-web-1"));
  EXPECT_EQ(broken_.size(), 1U);
}

TEST_F(RecordTest, IsNotMissedWhereItWasNotWrittenYet) {
  os::make_directories(paths_.container("0123456789ab"));
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_THAT(broken_, IsEmpty());
}

TEST_F(RecordTest, StatusIsReadAsItWasWritten) {
  EXPECT_FALSE(read_status(paths_, "0123456789ab")) << "it has not run since boot";
  ContainerStatus status{.state = "running", .restart_count = 3, .health = "healthy"};
  status.ports = {{"0.0.0.0", 8080, 80, "tcp"}};
  status.networks = {{"shop_default", "10.0.0.2", "", "02:00:00:00:00:01"}};
  write_status(paths_, "0123456789ab", status);
  const auto read = read_status(paths_, "0123456789ab");
  ASSERT_TRUE(read);
  EXPECT_EQ(Json(*read), Json(status));
  EXPECT_EQ(read->restart_count, 3);
  EXPECT_EQ(read->ports.at(0).published, 8080);
}

TEST_F(RecordTest, KeepsOutputThatIsNoText) {
  ContainerStatus status;
  status.probes = {{.exit_code = 1, .output = "bad \xff byte"}};
  write_status(paths_, "0123456789ab", status);
  EXPECT_EQ(read_status(paths_, "0123456789ab")->probes.at(0).output, "bad \xEF\xBF\xBD byte");
}

TEST(ContainerId, IsSixtyFourHexDigitsAndNeverTheSame) {
  const std::string id = make_container_id();
  EXPECT_THAT(id, MatchesRegex("[0-9a-f]+"));
  EXPECT_EQ(id.size(), 64U);
  EXPECT_NE(id, make_container_id());
}

TEST(TimestampNow, IsRfc3339WithNanoseconds) {
  EXPECT_THAT(timestamp_now(),
              testing::ContainsRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
                                     "[.][0-9]{9}Z$"));
}

}  // namespace
}  // namespace orchestrator
