// Holds the sources against the rooms of the house: who may include whom, how long a file may be,
// and that descriptors are closed by their owners alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

/// A source file by its path from the root.
struct SourceFile {
  std::string path;
  std::vector<std::string> lines;
};

/// Each room and the rooms that it may include, itself always among them.
const std::map<std::string, std::set<std::string>>& rooms() {
  static const std::map<std::string, std::set<std::string>> table = {
      {"runtime/os", {}},
      {"runtime/container", {"runtime/os"}},
      {"runtime/monitor", {"runtime/container", "runtime/os"}},
      {"runtime/image", {"runtime/os"}},
      {"runtime/build", {"runtime/image", "runtime/container", "runtime/os"}},
      {"network", {"runtime/os"}},
      {"manifests", {}},
      {"orchestrator",
       {"manifests", "network", "runtime/build", "runtime/image", "runtime/container",
        "runtime/os"}},
      {"orchestrator/cli",
       {"orchestrator", "manifests", "network", "runtime/build", "runtime/image",
        "runtime/container", "runtime/os"}},
  };
  return table;
}

constexpr std::size_t kLongestFile = 500;  // lines

fs::path root() { return fs::path(TEST_SOURCE_DIR).parent_path(); }

bool is_source(const fs::path& path) {
  return path.extension() == ".cpp" || path.extension() == ".hpp" || path.extension() == ".h" ||
         path.extension() == ".c";
}

std::vector<SourceFile> sources() {
  std::vector<SourceFile> result;
  for (const char* folder : {"manifests", "network", "orchestrator", "runtime"}) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root() / folder)) {
      if (!entry.is_regular_file() || !is_source(entry.path())) continue;
      SourceFile file{.path = fs::relative(entry.path(), root()).string(), .lines = {}};
      std::ifstream stream(entry.path());
      for (std::string line; std::getline(stream, line);) file.lines.push_back(line);
      result.push_back(std::move(file));
    }
  }
  std::sort(result.begin(), result.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return result;
}

/// The room that a path lies in, the innermost; "" when it lies in none.
std::string room_of(const std::string& path) {
  std::string best;
  for (const auto& [room, allowed] : rooms())
    if (path.rfind(room + "/", 0) == 0 && room.size() > best.size()) best = room;
  return best;
}

/// What a file includes with quotes, with the line it stands on.
std::vector<std::pair<std::string, std::size_t>> includes(const SourceFile& file) {
  static const std::regex pattern(R"re(^\s*#\s*include\s*"([^"]+)")re");
  std::vector<std::pair<std::string, std::size_t>> result;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    std::smatch match;
    if (std::regex_search(file.lines[i], match, pattern)) result.emplace_back(match[1], i + 1);
  }
  return result;
}

std::string place(const SourceFile& file, std::size_t line) {
  return file.path + ":" + std::to_string(line);
}

std::string joined(const std::vector<std::string>& mistakes) {
  std::ostringstream text;
  for (const std::string& mistake : mistakes) text << "\n  " << mistake;
  return text.str();
}

/// The files of a circle of includes that can be reached from `path`; empty when there is none.
class CircleFinder {
 public:
  explicit CircleFinder(const std::vector<SourceFile>& files) {
    for (const SourceFile& file : files)
      for (const auto& [included, line] : includes(file)) edges_[file.path].push_back(included);
  }

  std::string find() {
    for (const auto& [path, included] : edges_) {
      std::string circle = visit(path);
      if (!circle.empty()) return circle;
    }
    return {};
  }

 private:
  std::string visit(const std::string& path) {
    const auto open = std::find(trail_.begin(), trail_.end(), path);
    if (open != trail_.end()) {
      std::string circle;
      for (auto step = open; step != trail_.end(); ++step) circle += *step + " -> ";
      return circle + path;
    }
    if (!done_.insert(path).second) return {};
    trail_.push_back(path);
    for (const std::string& included : edges_[path]) {
      std::string circle = visit(included);
      if (!circle.empty()) return circle;
    }
    trail_.pop_back();
    return {};
  }

  std::map<std::string, std::vector<std::string>> edges_;
  std::vector<std::string> trail_;
  std::set<std::string> done_;
};

TEST(LayeringTest, SourcesAreFound) {
  std::set<std::string> seen;
  for (const SourceFile& file : sources()) seen.insert(room_of(file.path));
  for (const char* room : {"manifests", "network", "orchestrator", "runtime/container",
                           "runtime/image", "runtime/monitor", "runtime/os"})
    EXPECT_TRUE(seen.contains(room)) << "no source in " << room;
  EXPECT_FALSE(seen.contains("")) << "a source lies in no room";
}

TEST(LayeringTest, RoomsIncludeOnlyWhatLiesBelowThem) {
  std::vector<std::string> mistakes;
  for (const SourceFile& file : sources()) {
    const std::string room = room_of(file.path);
    for (const auto& [included, line] : includes(file)) {
      const std::string target = room_of(included);
      if (target == room) continue;
      if (target.empty())
        mistakes.push_back(place(file, line) + ": \"" + included +
                           "\" is not a path from the root into a room");
      else if (!rooms().at(room).contains(target))
        mistakes.push_back(place(file, line) + ": " + room + " must not include " + target);
    }
  }
  EXPECT_TRUE(mistakes.empty()) << joined(mistakes);
}

TEST(LayeringTest, IncludedFilesExist) {
  std::vector<std::string> mistakes;
  for (const SourceFile& file : sources())
    for (const auto& [included, line] : includes(file))
      if (!fs::exists(root() / included))
        mistakes.push_back(place(file, line) + ": \"" + included + "\" does not exist");
  EXPECT_TRUE(mistakes.empty()) << joined(mistakes);
}

TEST(LayeringTest, IncludesMakeNoCircle) { EXPECT_EQ(CircleFinder(sources()).find(), ""); }

TEST(LayeringTest, ACircleIsTold) {
  const std::vector<SourceFile> files = {
      {"a.hpp", {"#include \"b.hpp\""}}, {"b.hpp", {"#include \"a.hpp\""}}, {"c.hpp", {}}};
  EXPECT_EQ(CircleFinder(files).find(), "a.hpp -> b.hpp -> a.hpp");
}

TEST(LayeringTest, OnlyTranslateKnowsServicesAndContainers) {
  std::vector<std::string> mistakes;
  for (const SourceFile& file : sources()) {
    if (room_of(file.path) != "orchestrator" || file.path.ends_with(".cpp")) continue;
    bool service = false, specification = false;
    for (const auto& [included, line] : includes(file)) {
      service = service || included == "manifests/stack.hpp";
      specification = specification || included == "runtime/container/spec.hpp";
    }
    if (service && specification && file.path.find("translate") == std::string::npos)
      mistakes.push_back(file.path + " includes both manifests/stack.hpp and container/spec.hpp");
  }
  EXPECT_TRUE(mistakes.empty()) << joined(mistakes);
}

TEST(LayeringTest, FilesStayShort) {
  std::vector<std::string> mistakes;
  for (const SourceFile& file : sources())
    if (file.lines.size() > kLongestFile)
      mistakes.push_back(file.path + " has " + std::to_string(file.lines.size()) + " lines");
  EXPECT_TRUE(mistakes.empty()) << joined(mistakes);
}

TEST(LayeringTest, DescriptorsAreClosedByTheirOwners) {
  static const std::regex raw_close(R"re((^|[^_[:alnum:].>:])(::)?close\([^)])re");
  std::vector<std::string> mistakes;
  for (const SourceFile& file : sources()) {
    if (room_of(file.path) == "runtime/os") continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string& line = file.lines[i];
      const std::string code = line.substr(0, line.find("//"));
      if (std::regex_search(code, raw_close)) mistakes.push_back(place(file, i + 1) + ": " + line);
    }
  }
  EXPECT_TRUE(mistakes.empty()) << joined(mistakes);
}

TEST(LayeringTest, ManifestsKnowsOnlyFiles) {
  static const std::regex kernel(
      R"re(#\s*include\s*<(sys/(socket|mount|ioctl|prctl|wait)|netinet/|linux/|netlink/|sched\.h))re");
  std::vector<std::string> mistakes;
  for (const SourceFile& file : sources()) {
    if (room_of(file.path) != "manifests") continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i)
      if (std::regex_search(file.lines[i], kernel))
        mistakes.push_back(place(file, i + 1) + ": " + file.lines[i]);
  }
  EXPECT_TRUE(mistakes.empty()) << joined(mistakes);
}

}  // namespace
