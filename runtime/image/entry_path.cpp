#include "runtime/image/entry_path.hpp"

#include <climits>
#include <vector>

#include "runtime/os/error.hpp"

namespace image {

namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
constexpr std::string_view kAufs = ".wh..wh.";

}  // namespace

EntryPath clean_entry_path(std::string_view path, const Limits& limits) {
  if (path.size() > limits.path) throw os::Error(ENAMETOOLONG, "unpack an entry");
  std::vector<std::string_view> names;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (name.empty() || name == ".") continue;
    if (name.size() > NAME_MAX) throw os::Error(ENAMETOOLONG, "unpack an entry");
    if (name != "..") {
      names.push_back(name);
    } else if (names.empty()) {
      throw os::Error("its name leaves the root");
    } else {
      names.pop_back();
    }
  }
  EntryPath result;
  if (names.empty()) return result;
  result.name = names.back();
  names.pop_back();
  for (const std::string_view name : names) {
    if (name.starts_with(kWhiteout)) throw os::Error("it lies in a whiteout");
    result.parent += (result.parent.empty() ? "" : "/") + std::string(name);
  }
  return result;
}

Mark whiteout_mark(std::string_view name, std::string& target) {
  if (!name.starts_with(kWhiteout)) return Mark::none;
  if (name == kOpaque) return Mark::opaque;
  if (name.starts_with(kAufs)) return Mark::ignored;
  target = name.substr(kWhiteout.size());
  if (target.empty() || target == "." || target == "..")
    throw os::Error("it is a whiteout of no name");
  return Mark::whiteout;
}

}  // namespace image
