#include "manifests/language.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace manifests {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;
using testing::Optional;

/// `text` without its `|`, and where that was.
struct Cursor {
  std::string text;
  TextPlace place;

  explicit Cursor(const std::string& marked) : text(marked) {
    const std::size_t at = text.find('|');
    text.erase(at, 1);
    for (std::size_t i = 0; i < at; ++i) {
      ++place.column;
      if (text[i] != '\n') continue;
      ++place.line;
      place.column = 0;
    }
  }
};

std::vector<std::string> labels(const std::string& marked) {
  const Cursor cursor(marked);
  std::vector<std::string> found;
  for (const Completion& completion : complete(cursor.text, cursor.place))
    found.push_back(completion.label);
  return found;
}

std::string place_of_definition(const std::string& marked, const std::string& other = {}) {
  const Cursor cursor(marked);
  const auto found = find_definition(cursor.text, cursor.place, [&](const std::string&) {
    return other.empty() ? std::nullopt : std::optional(other);
  });
  if (!found) return "nowhere";
  return found->file + ":" + std::to_string(found->at.line) + ":" +
         std::to_string(found->at.column);
}

TEST(Language, CompletesKeysThatAreNotThereYet) {
  EXPECT_THAT(labels("ser|"), IsSupersetOf({"services", "networks", "volumes"}));
  const auto keys = labels("services:\n  web:\n    image: i\n    |\n    user: u\n");
  EXPECT_THAT(keys, IsSupersetOf({"ports", "healthcheck", "volumes"}));
  EXPECT_THAT(keys, Not(Contains("image")));
  EXPECT_THAT(keys, Not(Contains("user")));
  EXPECT_THAT(labels("services:\n  web:\n    healthcheck:\n      int|\n"),
              IsSupersetOf({"interval", "retries"}));
}

TEST(Language, CompletesKeysInsideOfListItems) {
  EXPECT_THAT(labels("services:\n  web:\n    volumes:\n      - type: bind\n        |\n"),
              IsSupersetOf({"source", "target", "bind"}));
}

TEST(Language, CompletesWordsAndNames) {
  EXPECT_THAT(
      labels("services:\n  web:\n    depends_on:\n      db:\n        condition: |\n  db:\n"),
      ElementsAre("service_started", "service_healthy", "service_completed_successfully"));
  EXPECT_THAT(labels("services:\n  web:\n    depends_on:\n      - |\n  db:\n    image: i\n"),
              IsSupersetOf({"web", "db"}));
  EXPECT_THAT(labels("services:\n  web:\n    networks: [|]\nnetworks:\n  front:\n"),
              ElementsAre("front"));
  EXPECT_THAT(labels("services:\n  web:\n    read_only: |\n"), ElementsAre("true", "false"));
  EXPECT_THAT(labels("services:\n  web:\n    network_mode: |\n  db:\n    image: i\n"),
              IsSupersetOf({"none", "host", "service:db"}));
}

TEST(Language, TellsWhatAKeyDoes) {
  const Cursor cursor("services:\n  web:\n    stop_gra|ce_period: 5s\n");
  EXPECT_THAT(hover(cursor.text, cursor.place), Optional(HasSubstr("SIGKILL")));
  const Cursor own("services:\n  web:\n    x-no|te: 5s\n");
  EXPECT_EQ(hover(own.text, own.place), std::nullopt);
}

TEST(Language, FindsWhereNamesAreDefined) {
  const std::string rest =
      "  db:\n    image: i\nnetworks:\n  front:\nvolumes:\n  data:\nsecrets:\n  token:\n";
  EXPECT_EQ(place_of_definition("services:\n  web:\n    depends_on: [d|b]\n" + rest), ":3:2");
  EXPECT_EQ(place_of_definition("services:\n  web:\n    networks:\n      - fr|ont\n" + rest),
            ":7:2");
  EXPECT_EQ(place_of_definition("services:\n  web:\n    volumes:\n      - da|ta:/x\n" + rest),
            ":9:2");
  EXPECT_EQ(place_of_definition("services:\n  web:\n    network_mode: service:d|b\n" + rest),
            ":3:2");
  EXPECT_EQ(place_of_definition("services:\n  web:\n    secrets:\n      - source: to|ken\n" + rest),
            ":11:2");
  EXPECT_EQ(place_of_definition("x-a: &base\n  k: v\nservices:\n  web:\n    <<: *ba|se\n"), ":0:5");
  EXPECT_EQ(place_of_definition("services:\n  web:\n    image: no|thing\n" + rest), "nowhere");
}

TEST(Language, FindsExtendedServicesInOtherFiles) {
  const std::string other = "services:\n  base:\n    image: i\n";
  EXPECT_EQ(place_of_definition("services:\n  web:\n    extends:\n      file: common.yaml\n"
                                "      service: ba|se\n",
                                other),
            "common.yaml:1:2");
  EXPECT_EQ(
      place_of_definition("services:\n  web:\n    extends:\n      file: com|mon.yaml\n", other),
      "common.yaml:0:0");
}

TEST(Language, BearsAnyTextAndAnyPlace) {
  for (const std::string text : {"", "\n\n", ":", "- - -", "a:\n\t- b: [", "\xff\xfe", "&", "*"})
    for (const TextPlace place : {TextPlace{0, 0}, TextPlace{1, 40}, TextPlace{9, 9}}) {
      complete(text, place);
      hover(text, place);
      find_definition(text, place, [](const std::string&) { return std::nullopt; });
    }
}

}  // namespace
}  // namespace manifests
