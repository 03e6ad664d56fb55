#include "orchestrator/cli/building.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <thread>

#include "network/network.hpp"
#include "orchestrator/build_network.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/interrupts.hpp"
#include "orchestrator/cli/terminal.hpp"
#include "runtime/build/console_progress.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace cli {

namespace {

std::unique_ptr<build::Progress> make_progress(const Invocation& invocation,
                                               const std::string& asked) {
  const build::TextSink sink = [](std::string_view text) { write_err(text); };
  std::string style = asked;
  if (style == "auto" || style.empty())
    style = invocation.style.progress == ProgressStyle::tty     ? "tty"
            : invocation.style.progress == ProgressStyle::quiet ? "quiet"
                                                                : "plain";
  if (style == "quiet") return std::make_unique<build::QuietProgress>();
  if (style == "plain") return std::make_unique<build::PlainProgress>(sink);
  winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
  return std::make_unique<build::TerminalProgress>(sink, size.ws_row, size.ws_col,
                                                   invocation.style.colour_err);
}

/// Runs `work` on a thread while signals are listened to: the first one cancels. True when one
/// came.
bool run_interruptibly(build::Cancel& cancel, const std::function<void()>& work) {
  Interrupts interrupts;
  const os::UniqueFd done(
      os::check(::eventfd(0, EFD_CLOEXEC), [] { return std::string("make an eventfd"); }));
  std::exception_ptr failure;
  std::thread thread([&] {
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
    ::eventfd_write(done.get(), 1);
  });
  bool interrupted = false;
  for (;;) {
    pollfd entries[] = {{.fd = done.get(), .events = POLLIN, .revents = 0},
                        {.fd = interrupts.fd(), .events = POLLIN, .revents = 0}};
    if (::poll(entries, 2, -1) < 0 && errno != EINTR) break;
    if (entries[1].revents != 0 && interrupts.take()) {
      interrupted = true;
      cancel.request();
    }
    if (entries[0].revents != 0) break;
  }
  thread.join();
  if (failure && !interrupted) std::rethrow_exception(failure);
  return interrupted;
}

/// What builds that were killed left behind.
void sweep(const Invocation& invocation) {
  const orchestrator::Paths& paths = invocation.paths;
  build::sweep_builds(paths.run + "/builds", orchestrator::runtime_executable(),
                      [&](const std::string& id) {
                        network::Network::discard(paths.run, orchestrator::build_network_name(id));
                      });
}

build::BuildResult run_one(const Invocation& invocation, build::BuildOptions& options,
                           const std::string& style, bool& interrupted) {
  orchestrator::complete_build(options, invocation.paths, invocation.environment);
  image::Store store(invocation.paths.images());
  const auto progress = make_progress(invocation, style);
  orchestrator::BuildNetworks networks(invocation.paths, options.id);
  options.progress = progress.get();
  options.networks = &networks;
  build::Cancel cancel;
  build::BuildResult result;
  interrupted =
      run_interruptibly(cancel, [&] { result = build::build_image(store, options, cancel); });
  return result;
}

}  // namespace

BuildRun run_builds(const Invocation& invocation, std::vector<build::BuildOptions> builds,
                    const std::string& style) {
  invocation.paths.make();
  sweep(invocation);
  BuildRun run;
  for (build::BuildOptions& options : builds) {
    bool interrupted = false;
    try {
      run.results.push_back(run_one(invocation, options, style, interrupted));
    } catch (const build::BuildFailed& failed) {
      write_err(failed.details());
      throw;
    }
    if (!interrupted) continue;
    run.code = kInterrupted;
    break;
  }
  return run;
}

bool build_for_up(const Invocation& invocation, const manifests::Stack& stack,
                  const std::set<std::string>& services, bool all) {
  const std::vector<std::string> wanted =
      orchestrator::services_to_build(stack, services, all, invocation.paths);
  if (wanted.empty()) return true;
  orchestrator::BuildFlags flags;
  flags.environment = invocation.environment;
  std::vector<build::BuildOptions> builds;
  for (const std::string& name : orchestrator::build_order(stack, wanted))
    builds.push_back(orchestrator::build_request(stack, stack.services.at(name), flags));
  return run_builds(invocation, std::move(builds), "auto").code == 0;
}

}  // namespace cli
