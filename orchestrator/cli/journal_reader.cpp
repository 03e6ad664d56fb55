#include "orchestrator/cli/journal_reader.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "runtime/os/error.hpp"

namespace cli {

JournalReader::JournalReader(const orchestrator::Paths& paths, const std::string& project,
                             Begin begin)
    : parent_(paths.run + "/projects"),
      directory_(paths.project_run(project)),
      path_(directory_ + "/events.jsonl"),
      inotify_(os::check(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK),
                         [] { return std::string("start inotify"); })) {
  watch();
  if (open() && begin == Begin::at_end) ::lseek(file_.get(), 0, SEEK_END);
}

void JournalReader::watch() {
  // Asking for the same directory twice changes nothing; one that was made anew is watched anew.
  ::inotify_add_watch(inotify_.get(), parent_.c_str(), IN_CREATE | IN_MOVED_TO);
  ::inotify_add_watch(inotify_.get(), directory_.c_str(), IN_CREATE | IN_MODIFY | IN_DELETE);
}

bool JournalReader::open() {
  os::UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return false;
  if (file_ && status.st_dev == device_ && status.st_ino == inode_) return false;
  file_ = std::move(file);
  device_ = status.st_dev;
  inode_ = status.st_ino;
  buffer_.clear();
  return true;
}

std::vector<JournalReader::Json> JournalReader::take() {
  std::array<char, 4096> ignored;
  while (::read(inotify_.get(), ignored.data(), ignored.size()) > 0) {
  }
  std::vector<Json> entries;
  read(entries);  // an old journal to its end first: its file may be gone already
  watch();
  if (open()) read(entries);
  return entries;
}

void JournalReader::read(std::vector<Json>& entries) {
  if (!file_) return;
  std::array<char, 65536> chunk;
  for (ssize_t size; (size = ::read(file_.get(), chunk.data(), chunk.size())) > 0;) {
    buffer_.append(chunk.data(), static_cast<std::size_t>(size));
    std::size_t begin = 0;
    for (std::size_t end; (end = buffer_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      Json entry = Json::parse(buffer_.begin() + static_cast<std::ptrdiff_t>(begin),
                               buffer_.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
      if (entry.is_object()) entries.push_back(std::move(entry));
    }
    buffer_.erase(0, begin);
  }
}

}  // namespace cli
