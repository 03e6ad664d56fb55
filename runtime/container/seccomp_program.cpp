#include "runtime/container/seccomp_program.hpp"

#include <linux/bpf_common.h>
#include <linux/seccomp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <utility>

#include "runtime/container/seccomp_syscalls.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace container {
namespace {

constexpr std::string_view kCacheMagic = "stack-seccomp 2\n";

/// FNV-1a; names a file, proves nothing: the file holds the whole policy for comparison.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::string hex(std::uint64_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (auto digit = text.rbegin(); number != 0; number >>= 4) *digit++ = kDigits[number & 15];
  return text;
}

/// Texts and numbers one after the other, so that no two sequences give the same.
class KeyWriter {
 public:
  KeyWriter& text(std::string_view value) {
    number(value.size());
    key_ += value;
    return *this;
  }
  KeyWriter& number(std::uint64_t value) {
    key_ += std::to_string(value);
    key_ += ' ';
    return *this;
  }
  KeyWriter& optional(const auto& value) {
    return value ? number(1).number(static_cast<std::uint64_t>(*value)) : number(0);
  }
  KeyWriter& texts(const std::vector<std::string>& values) {
    number(values.size());
    for (const std::string& value : values) text(value);
    return *this;
  }
  std::string take() { return std::move(key_); }

 private:
  std::string key_;
};

/// What the program depends on, in one text: not on flags and listener.
std::string cache_key(const Seccomp& policy) {
  KeyWriter key;
  key.text(native_syscall_abi().name)
      .text(seccomp_action_name(policy.default_action))
      .optional(policy.default_errno_ret)
      .texts(policy.architectures)
      .number(policy.syscalls.size());
  for (const SeccompRule& rule : policy.syscalls) {
    key.texts(rule.names).text(seccomp_action_name(rule.action)).optional(rule.errno_ret);
    key.number(rule.args.size());
    for (const SeccompArgument& argument : rule.args)
      key.number(argument.index)
          .number(argument.value)
          .number(argument.value_two)
          .text(seccomp_operator_name(argument.op));
  }
  return std::string(kCacheMagic) + key.take() + "\n";
}

/// What lies in a cache that others may write to is their policy, not ours.
bool is_ours_alone(const std::string& directory) {
  struct stat status {};
  return ::lstat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == ::geteuid() && (status.st_mode & 022) == 0;
}

std::optional<SeccompProgram> read_cache(const std::string& path, std::string_view key) {
  constexpr std::size_t kLimit = 4 * 1024 * 1024;
  const auto text = os::read_file_if_exists(path, kLimit);
  if (!text || !text->starts_with(key)) return std::nullopt;
  const std::size_t bytes = text->size() - key.size();
  const std::size_t count = bytes / sizeof(sock_filter);
  if (bytes % sizeof(sock_filter) != 0 || count == 0 || count > BPF_MAXINSNS) return std::nullopt;
  SeccompProgram program(count);
  std::memcpy(program.data(), text->data() + key.size(), bytes);
  return program;
}

void write_cache(const std::string& path, const std::string& key, const SeccompProgram& program) {
  std::string text = key;
  text.append(reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter));
  os::write_file_atomic(path, text);
}

}  // namespace

SeccompProgram seccomp_program(const Seccomp& policy, const std::string& cache_directory) {
  const std::string key = cache_key(policy);
  const std::string path = cache_directory + "/" + hex(hash_of(key)) + ".bpf";
  try {
    if (is_ours_alone(cache_directory))
      if (auto cached = read_cache(path, key)) return std::move(*cached);
  } catch (const os::Error&) {
    // An unreadable cache is no reason not to compile.
  }
  SeccompProgram program = compile_seccomp(policy);
  try {
    os::make_directories(cache_directory);
    if (is_ours_alone(cache_directory)) write_cache(path, key, program);
  } catch (const os::Error&) {
    // The next container compiles again.
  }
  return program;
}

unsigned seccomp_flags(const std::vector<std::string>& names) {
  static constexpr std::array<std::pair<std::string_view, unsigned>, 4> kFlags = {{
      {"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
      {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
      {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
      {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 1U << 5},
  }};
  unsigned flags = 0;
  for (const std::string& name : names) {
    const auto found = std::find_if(kFlags.begin(), kFlags.end(),
                                    [&](const auto& each) { return each.first == name; });
    if (found == kFlags.end()) throw os::Error("unknown seccomp flag '" + name + "'");
    flags |= found->second;
  }
  return flags;
}

bool needs_listener(const Seccomp& policy) noexcept {
  return policy.default_action == SeccompAction::notify ||
         std::any_of(policy.syscalls.begin(), policy.syscalls.end(),
                     [](const SeccompRule& rule) { return rule.action == SeccompAction::notify; });
}

os::UniqueFd install_seccomp(const SeccompProgram& program, unsigned flags, bool listener) {
  std::vector<sock_filter> copy = program;
  const sock_fprog description = {.len = static_cast<unsigned short>(copy.size()),
                                  .filter = copy.data()};
  if (listener) flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  const long result =
      os::check(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &description),
                [] { return "install the seccomp filter"; });
  return listener ? os::UniqueFd(static_cast<int>(result)) : os::UniqueFd();
}

}  // namespace container
