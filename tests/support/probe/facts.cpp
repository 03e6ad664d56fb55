#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "tests/support/probe/probe.hpp"

extern char** environ;

namespace probe {
namespace {

int print_file(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return failed(path);
  char buffer[16384];
  std::size_t count = 0;
  while ((count = std::fread(buffer, 1, sizeof buffer, file)) > 0)
    std::fwrite(buffer, 1, count, stdout);
  const bool broken = std::ferror(file) != 0;
  std::fclose(file);
  std::fflush(stdout);
  return broken ? failed(path) : 0;
}

int cat(const Arguments& arguments) {
  int code = 0;
  for (const std::string& path : arguments) code |= print_file(path);
  return code;
}

int status(const Arguments& arguments) {
  std::FILE* file = std::fopen("/proc/self/status", "re");
  if (file == nullptr) return failed("/proc/self/status");
  char line[4096];
  while (std::fgets(line, sizeof line, file) != nullptr)
    for (const std::string& field : arguments)
      if (std::strncmp(line, (field + ":").c_str(), field.size() + 1) == 0)
        std::fputs(line, stdout);
  std::fclose(file);
  return 0;
}

int capabilities(const Arguments&) {
  return status({"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"});
}

int identity(const Arguments&) {
  gid_t groups[64];
  const int count = ::getgroups(64, groups);
  std::printf("uid=%u gid=%u groups=", ::getuid(), ::getgid());
  std::sort(groups, groups + std::max(count, 0));
  for (int i = 0; i < count; ++i) std::printf("%s%u", i == 0 ? "" : ",", groups[i]);
  const mode_t mask = ::umask(0);
  std::printf(" umask=%04o\n", mask);
  return 0;
}

int environment(const Arguments& arguments) {
  if (!arguments.empty()) {
    const char* value = std::getenv(arguments[0].c_str());
    if (value == nullptr) return 1;
    std::puts(value);
    return 0;
  }
  for (char** entry = environ; *entry != nullptr; ++entry) std::puts(*entry);
  return 0;
}

int working_directory(const Arguments&) {
  char path[4096];
  if (::getcwd(path, sizeof path) == nullptr) return failed("getcwd");
  std::puts(path);
  return 0;
}

int hostname(const Arguments&) {
  utsname names{};
  ::uname(&names);
  std::printf("%s %s\n", names.nodename, names.domainname);
  return 0;
}

int mounts(const Arguments&) { return print_file("/proc/self/mountinfo"); }

// The descriptor that reads the directory is not one of those inherited.
int descriptors(const Arguments&) {
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return failed("/proc/self/fd");
  const int own = ::dirfd(directory);
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] == '.' || std::atoi(entry->d_name) == own) continue;
    char target[4096];
    const ssize_t length =
        ::readlink((std::string("/proc/self/fd/") + entry->d_name).c_str(), target, sizeof target);
    std::printf("%s %.*s\n", entry->d_name, static_cast<int>(std::max<ssize_t>(length, 0)), target);
  }
  ::closedir(directory);
  return 0;
}

int namespaces(const Arguments&) {
  for (const char* name : {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"}) {
    char target[128];
    const ssize_t length =
        ::readlink((std::string("/proc/self/ns/") + name).c_str(), target, sizeof target);
    std::printf("%s %.*s\n", name, static_cast<int>(std::max<ssize_t>(length, 0)), target);
  }
  return 0;
}

int limits(const Arguments& arguments) {
  struct Limit {
    const char* name;
    __rlimit_resource_t resource;
  };
  const Limit all[] = {{"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},
                       {"core", RLIMIT_CORE},       {"stack", RLIMIT_STACK},
                       {"memlock", RLIMIT_MEMLOCK}, {"fsize", RLIMIT_FSIZE}};
  for (const Limit& limit : all) {
    if (!arguments.empty() && arguments[0] != limit.name) continue;
    rlimit value{};
    ::getrlimit(limit.resource, &value);
    std::printf("%s %lld %lld\n", limit.name, static_cast<long long>(value.rlim_cur),
                static_cast<long long>(value.rlim_max));
  }
  return 0;
}

char kind(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return 'd';
    case S_IFCHR:
      return 'c';
    case S_IFBLK:
      return 'b';
    case S_IFLNK:
      return 'l';
    case S_IFIFO:
      return 'p';
    case S_IFSOCK:
      return 's';
    default:
      return '-';
  }
}

// "KIND MODE UID GID SIZE|MAJOR:MINOR NAME" for each path, not following links.
int stat_paths(const Arguments& arguments) {
  int code = 0;
  for (const std::string& path : arguments) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) {
      code = failed(path);
      continue;
    }
    const bool device = S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode);
    const std::string size =
        device ? std::to_string(major(info.st_rdev)) + ":" + std::to_string(minor(info.st_rdev))
               : std::to_string(info.st_size);
    std::printf("%c %04o %u %u %s %s\n", kind(info.st_mode), info.st_mode & 07777U, info.st_uid,
                info.st_gid, size.c_str(), path.c_str());
  }
  return code;
}

int list(const Arguments& arguments) {
  const std::string path = argument(arguments, 0, ".");
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return failed(path);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory))
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
      names.emplace_back(entry->d_name);
  ::closedir(directory);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) std::puts(name.c_str());
  return 0;
}

int size_of_filesystem(const Arguments& arguments) {
  const std::string path = argument(arguments, 0, "/");
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) return failed(path);
  std::printf("%llu\n", static_cast<unsigned long long>(info.f_blocks * info.f_frsize));
  return 0;
}

int terminal(const Arguments&) {
  for (int fd = 0; fd < 3; ++fd) std::printf("%d %s\n", fd, ::isatty(fd) == 1 ? "tty" : "no");
  return 0;
}

int process_id(const Arguments&) {
  std::printf("%d %d\n", ::getpid(), ::getppid());
  return 0;
}

// The argument list as it arrived, one a line, so that word splitting can be told.
int words(const Arguments& arguments) {
  for (const std::string& word : arguments) std::printf("[%s]\n", word.c_str());
  return 0;
}

}  // namespace

const std::vector<Verb>& fact_verbs() {
  static const std::vector<Verb> verbs = {
      {"cat", "PATH…", cat},          {"status", "FIELD…   of /proc/self/status", status},
      {"caps", "", capabilities},     {"id", "", identity},
      {"env", "[NAME]", environment}, {"cwd", "", working_directory},
      {"hostname", "", hostname},     {"mounts", "", mounts},
      {"fds", "", descriptors},       {"namespaces", "", namespaces},
      {"limits", "[NAME]", limits},   {"stat", "PATH…", stat_paths},
      {"ls", "[PATH]", list},         {"fs-size", "PATH", size_of_filesystem},
      {"tty", "", terminal},          {"pid", "", process_id},
      {"words", "WORD…", words},
  };
  return verbs;
}

}  // namespace probe
