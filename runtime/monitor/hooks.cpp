#include "runtime/monitor/hooks.hpp"

#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "runtime/os/error.hpp"
#include "runtime/os/process.hpp"

namespace monitor {

namespace {

os::UniqueFd memory_file(std::string_view content) {
  os::UniqueFd file(os::check(::memfd_create("hook", MFD_CLOEXEC),
                              [] { return std::string("make a memory file"); }));
  os::write_all(file.get(), content, "memory file");
  os::check(::lseek(file.get(), 0, SEEK_SET), [] { return std::string("rewind a memory file"); });
  return file;
}

/// The last bytes of what a hook printed, as part of an error message.
std::string tail_of(int file) {
  constexpr off_t kTail = 512;
  const off_t size = ::lseek(file, 0, SEEK_END);
  char buffer[kTail];
  const off_t from = size > kTail ? size - kTail : 0;
  const ssize_t n = ::pread(file, buffer, sizeof buffer, from);
  std::string text(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? text : ": " + text;
}

bool wait_until(const os::Pidfd& process, int seconds) {
  pollfd entry{.fd = process.get(), .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&entry, 1, seconds > 0 ? seconds * 1000 : -1);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

void run_hook(const container::Hook& hook, const std::string& state) {
  const os::UniqueFd input = memory_file(state);
  const os::UniqueFd output = memory_file({});
  os::SpawnOptions options;
  options.executable = hook.path;
  options.arguments = hook.args.empty() ? std::vector<std::string>{hook.path} : hook.args;
  options.environment = hook.env;
  options.descriptors = {{input.get(), 0}, {output.get(), 1}, {output.get(), 2}};
  os::Child child = os::spawn(options);
  if (!wait_until(child.pidfd(), hook.timeout.value_or(0)))
    throw os::Error(ETIMEDOUT, "run '" + hook.path + "'");
  const os::ExitStatus status = child.wait();
  if (status.code != 0)
    throw os::Error("'" + hook.path + "' ended with " + std::to_string(status.code) +
                    tail_of(output.get()));
}

}  // namespace

std::string oci_state(const container::State& state) {
  nlohmann::json json = {{"ociVersion", std::string(container::kOciVersion)},
                         {"id", state.id},
                         {"status", std::string(container::status_name(state.status))},
                         {"bundle", state.bundle},
                         {"annotations", state.annotations}};
  if (state.init && state.status != container::Status::stopped) json["pid"] = state.init->pid;
  return json.dump();
}

void run_hooks(const std::vector<container::Hook>& hooks, const std::string& point,
               const std::string& state) {
  for (const container::Hook& hook : hooks) {
    try {
      run_hook(hook, state);
    } catch (const os::Error& error) {
      throw error.in(point + " hook");
    }
  }
}

}  // namespace monitor
