// Every Dockerfile of tests/golden/dockerfile, built by us: the files and the configuration are
// those that Docker made of it, but for what is written down there with its reason.
#include <algorithm>
#include <filesystem>
#include <set>

#include "tests/support/image_listing.hpp"
#include "tests/support/stack_fixture.hpp"

namespace e2e {
namespace {

using Lines = std::vector<std::string>;

constexpr auto npos = std::string::npos;

const std::string& cases() {
  static const std::string path = std::string(TEST_SOURCE_DIR) + "/golden/dockerfile";
  return path;
}

Lines names() {
  Lines found;
  for (const auto& entry : std::filesystem::directory_iterator(cases()))
    if (entry.is_directory()) found.push_back(entry.path().filename().string());
  std::sort(found.begin(), found.end());
  return found;
}

Lines lines_of(const std::string& path) {
  return split_lines(os::read_file_if_exists(path).value_or(""));
}

std::string replace_all(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

// The cases are spread over a few tests, so that none takes long.
constexpr std::size_t kParts = 8;

class GoldenBuildTest : public support::StackTest,
                        public ::testing::WithParamInterface<std::size_t> {
 protected:
  void SetUp() override {
    StackTest::SetUp();
    must({"import", "-c", "ENV PATH=/usr/local/bin:/usr/bin:/bin", "-c", R"(CMD ["sh"])", "-c",
          "LABEL from=base", support::image_file(), "test"});
    must({"import", "-c", "ENV PATH=/usr/local/bin:/usr/bin:/bin", "-c", "WORKDIR /work", "-c",
          "ONBUILD COPY trigger /from-trigger", "-c", "ONBUILD RUN echo \"$PWD\" > /where", "-c",
          "ONBUILD ENV TRIGGERED=yes", support::image_file(), "onbuild"});
  }

  Output build(const std::string& name) const {
    const std::string copy = directory() + "/" + name;
    CommandOptions options;
    options.environment = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}};
    EXPECT_THAT(support::run({cases() + "/lay-out", cases() + "/" + name, copy}, options),
                ExitsWith(0));
    Lines words = {"build", "--progress", "plain", "--no-cache", "-t", "made"};
    for (const std::string& line : lines_of(copy + "/options"))
      words.push_back(replace_all(line, "@", copy));
    words.push_back(copy + "/context");
    Output built = stack(words);
    std::filesystem::remove_all(copy);
    return built;
  }

  Lines listing() const {
    const std::string archive = directory() + "/made.tar";
    must({"save", "-o", archive, "made"});
    return split_lines(support::list_image(archive));
  }
};

// Docker's lines with our differences in them; "- *" drops all.
Lines expected(const std::string& name) {
  Lines lines = lines_of(cases() + "/" + name + "/listing");
  EXPECT_THAT(lines, Not(IsEmpty())) << "tests/peer/dockerfile_golden --write " << name;
  for (const std::string& line : lines_of(cases() + "/" + name + "/differences")) {
    if (line.empty() || line[0] == '#') continue;
    const std::string text = line.substr(2);
    if (line[0] == '+') {
      lines.push_back(text);
    } else if (text == "*") {
      lines.clear();
    } else if (const auto found = std::find(lines.begin(), lines.end(), text);
               found != lines.end()) {
      lines.erase(found);
    } else {
      ADD_FAILURE() << "differences: Docker does not have: " << text;
    }
  }
  return lines;
}

// The lines that are in one alone. History is a sequence, but who compares it is told by its lines
// as well: each layer's content is in the tree.
std::string difference(const Lines& theirs, const Lines& ours) {
  std::multiset<std::string> missing(theirs.begin(), theirs.end()), extra;
  for (const std::string& line : ours) {
    if (const auto found = missing.find(line); found != missing.end()) {
      missing.erase(found);
    } else {
      extra.insert(line);
    }
  }
  std::string text;
  for (const std::string& line : missing) text += "- " + line + "\n";
  for (const std::string& line : extra) text += "+ " + line + "\n";
  return text;
}

TEST_P(GoldenBuildTest, AreThoseOfDocker) {
  const char* chosen = std::getenv("STACK_GOLDEN_CASES");  // for work on some alone
  const Lines all = names();
  for (std::size_t i = GetParam(); i < all.size(); i += kParts) {
    const std::string& name = all[i];
    if (chosen != nullptr && (" " + std::string(chosen) + " ").find(" " + name + " ") == npos)
      continue;
    SCOPED_TRACE(name);
    const Lines wanted = expected(name);
    const Output built = build(name);
    const std::string fails = "fails: ";
    if (!wanted.empty() && wanted.front().starts_with(fails)) {
      const bool own_message = os::exists(cases() + "/" + name + "/differences");
      const std::string message = own_message ? wanted.back().substr(fails.size()) : "";
      EXPECT_THAT(built, ExitsWith(1)) << name << " fails with Docker: " << wanted.front();
      EXPECT_THAT(built.err, HasSubstr(message));
    } else if (built.code != 0) {
      ADD_FAILURE() << name << ": " << built.err;
    } else if (const std::string text = difference(wanted, listing()); !text.empty()) {
      ADD_FAILURE() << name << ": '-' is Docker's, '+' ours\n" << text;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Part, GoldenBuildTest, ::testing::Range(std::size_t{0}, kParts));

}  // namespace
}  // namespace e2e
