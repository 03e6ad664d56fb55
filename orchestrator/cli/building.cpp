#include "orchestrator/cli/building.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <thread>

#include "network/network.hpp"
#include "orchestrator/build_network.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/interrupts.hpp"
#include "orchestrator/cli/registry_session.hpp"
#include "orchestrator/cli/terminal.hpp"
#include "runtime/build/console_progress.hpp"
#include "runtime/image/pull.hpp"
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
bool run_interruptibly(Interrupts& interrupts, build::Cancel& cancel,
                       const std::function<void()>& work) {
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

/// Fetches base images; a line a second says how much of one has come.
void pull_base(const Invocation& invocation, image::Store& store, const std::string& reference,
               const std::optional<image::Platform>& platform,
               const std::function<void(const std::string&)>& say) {
  image::PullOptions options;
  options.platform = platform;
  options.registry = registry_options(invocation);
  options.registry.warn = [&say](const std::string& message) { say("warning: " + message); };
  auto told = std::chrono::steady_clock::now();
  options.progress = [&](std::int64_t done, std::int64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (now - told < std::chrono::seconds(1)) return;
    told = now;
    say(size_text(done) + " / " + size_text(total));
  };
  const auto result = image::pull(store, image::Reference::parse(reference), options);
  say(result.digest.text());
}

build::BuildResult run_one(const Invocation& invocation, build::BuildOptions& options,
                           const std::string& style, bool& interrupted) {
  // Before the first thread, for a signal ends the program where one thread does not block it, and
  // until all is taken away again.
  Interrupts interrupts;
  orchestrator::complete_build(options, invocation.paths, invocation.environment);
  image::Store store(invocation.paths.images());
  const build::Presence presence(options.run_directory, options.id);
  const auto progress = make_progress(invocation, style);
  orchestrator::BuildNetworks networks(invocation.paths, options.id);
  options.progress = progress.get();
  options.networks = &networks;
  options.pull = [&](const std::string& reference, const std::optional<image::Platform>& platform,
                     const std::function<void(const std::string&)>& say) {
    pull_base(invocation, store, reference, platform, say);
  };
  build::Cancel cancel;
  build::BuildResult result;
  interrupted = run_interruptibly(interrupts, cancel,
                                  [&] { result = build::build_image(store, options, cancel); });
  return result;
}

}  // namespace

std::size_t sweep_dead_builds(const orchestrator::Paths& paths) {
  return build::sweep_builds(
      paths.run + "/builds", orchestrator::runtime_executable(), [&](const std::string& id) {
        network::Network::discard(paths.run, orchestrator::build_network_name(id));
      });
}

BuildRun run_builds(const Invocation& invocation, std::vector<build::BuildOptions> builds,
                    const std::string& style) {
  invocation.paths.make();
  sweep_dead_builds(invocation.paths);
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
                  const std::set<std::string>& services, bool all, const std::string& style) {
  const std::vector<std::string> wanted =
      orchestrator::services_to_build(stack, services, all, invocation.paths);
  if (wanted.empty()) return true;
  orchestrator::BuildFlags flags;
  flags.environment = invocation.environment;
  flags.warn = [](const std::string& message) { print_warning(message); };
  std::vector<build::BuildOptions> builds;
  for (const std::string& name : orchestrator::build_order(stack, wanted))
    builds.push_back(orchestrator::build_request(stack, stack.services.at(name), flags));
  return run_builds(invocation, std::move(builds), style).code == 0;
}

}  // namespace cli
