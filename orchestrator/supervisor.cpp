#include "orchestrator/supervisor.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <deque>
#include <set>

#include "orchestrator/failure.hpp"
#include "orchestrator/log.hpp"
#include "orchestrator/operations.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/memory.hpp"

namespace orchestrator {

namespace asio = boost::asio;

namespace {

/// Takes requests and lets one at a time change the project.
class Supervisor {
 public:
  Supervisor(asio::io_context& io, Paths paths, const std::string& name)
      : io_(io), project_(io, std::move(paths), name), acceptor_(io) {}

  Task<> run(os::UniqueFd ready) {
    project_.journal().on_entry([this](const Json& entry) { tell_watchers(entry); });
    // One that monitors started, not a client, may find that nothing is left to do.
    served_once_ = !ready;
    listen();
    co_await project_.adopt();
    log_info("adopted " + std::to_string(project_.containers().size()) + " containers");
    ready.reset();
    asio::co_spawn(io_, accept(), asio::detached);
    // A stack that has nothing left has no need of a supervisor, once nobody talks to it.
    while (!idle()) co_await project_.changed().wait();
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    os::remove_tree(project_.paths().project_run(project_.name()));
    log_info("nothing is left to supervise");
    io_.stop();
  }

 private:
  bool idle() const {
    return served_once_ && sessions_ == 0 && project_.containers().empty() &&
           !project_.fabric().exists();
  }

  void listen() {
    const std::string path = project_.paths().supervisor_socket(project_.name());
    ::unlink(path.c_str());
    acceptor_.open();
    acceptor_.bind(asio::local::stream_protocol::endpoint(path));
    os::check(::chmod(path.c_str(), 0600), [&] { return "set the mode of '" + path + "'"; });
    acceptor_.listen();
  }

  Task<> accept() {
    while (acceptor_.is_open()) {
      boost::system::error_code failed;
      Session::Socket socket =
          co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failed));
      if (failed == asio::error::operation_aborted) co_return;
      if (failed) {  // out of descriptors, say: let those that are open go first
        co_await sleep_until(Clock::now() + std::chrono::milliseconds(50));
        continue;
      }
      ++sessions_;
      auto session = std::make_shared<Session>(std::move(socket), project_.changed());
      asio::co_spawn(io_, serve(std::move(session)), asio::detached);
    }
  }

  Task<> serve(std::shared_ptr<Session> session) {
    std::optional<protocol::Json> request;
    int exit_code = 1;
    protocol::Json failure;
    try {
      request = co_await session->read_request();
      if (request) {
        asio::co_spawn(
            io_, [session] { return session->watch(); }, asio::detached);
        exit_code = co_await dispatch(session, std::move(*request));
      }
    } catch (const Failure& failed) {
      failure = failed.event();
    } catch (const Cancelled&) {
      exit_code = 130;
      if (!session->replaced_by().empty())
        failure = Failure("interrupted: `stack " + session->replaced_by() +
                          "` of the same project " + "was called meanwhile")
                      .event();
    } catch (const std::exception& error) {
      failure = Failure(error.what()).event();
    }
    if (!failure.is_null()) session->send(failure);
    session->send(protocol::done(exit_code));
    co_await session->flush();
    session->close();
    --sessions_;
    served_once_ = true;
    if (sessions_ == 0) ::malloc_trim(0);
    project_.changed().notify();
  }

  Task<int> dispatch(std::shared_ptr<Session> session, protocol::Json request) {
    const std::string operation = request.value("op", "");
    log_info("request " + operation);
    const protocol::Json arguments = request.value("arguments", protocol::Json::object());
    if (operation == "watch") co_return co_await watch(session);
    if (operation == "kill")  // never waits for its turn: it may be what ends the one that runs
      co_return co_await run_lifecycle(project_, session, operation,
                                       arguments.get<protocol::Lifecycle>());
    const std::uint64_t turn = ++last_turn_;
    waiting_.push_back(turn);
    const bool preempts = operation == "down" || operation == "stop";
    if (preempts && running_ && running_->second) running_->first->cancel(operation);
    while (waiting_.front() != turn) co_await project_.changed().wait();
    running_ = {session, operation == "up"};
    std::exception_ptr failure;
    int exit_code = 1;
    std::shared_ptr<Container> oneoff;
    try {
      if (operation == "up")
        exit_code = co_await run_up(project_, session, arguments.get<protocol::Up>());
      else if (operation == "down")
        exit_code = co_await run_down(project_, session, arguments.get<protocol::Down>());
      else if (operation == "run")
        oneoff = co_await start_oneoff(project_, session, arguments.get<protocol::Run>());
      else
        exit_code = co_await run_lifecycle(project_, session, operation,
                                           arguments.get<protocol::Lifecycle>());
    } catch (...) {
      failure = std::current_exception();
    }
    running_.reset();
    waiting_.pop_front();
    project_.changed().notify();
    if (failure) std::rethrow_exception(failure);
    if (oneoff) exit_code = co_await await_oneoff(project_, session, oneoff);
    co_return exit_code;
  }

  Task<int> watch(std::shared_ptr<Session> session) {
    watchers_.insert(session);
    session->send({{"event", "watching"}});
    while (!session->gone()) co_await project_.changed().wait();
    watchers_.erase(session);
    co_return 0;
  }

  void tell_watchers(const Json& entry) {
    protocol::Json event = {{"event", "container"}};
    event.update(entry);
    for (const auto& watcher : watchers_) watcher->send(event);
  }

  asio::io_context& io_;
  Project project_;
  asio::local::stream_protocol::acceptor acceptor_;
  std::deque<std::uint64_t> waiting_;  ///< turns; the first one's operation runs
  std::uint64_t last_turn_ = 0;
  /// The session whose operation runs, and whether another command may take its place.
  std::optional<std::pair<std::shared_ptr<Session>, bool>> running_;
  std::set<std::shared_ptr<Session>> watchers_;
  int sessions_ = 0;
  bool served_once_ = false;
};

/// What starting a stack takes, most of it libnftables's tables of what the host's firewall has.
constexpr std::size_t kWorkingHeap = 6 * 1024 * 1024;

/// What one piece of work frees serves the next, in place of new pages from the kernel: libnftables
/// takes and gives back a megabyte with every change. It goes back when no command is served.
void keep_freed_memory() {
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_MMAP_THRESHOLD, 32 * 1024 * 1024);
  ::mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
}

}  // namespace

int supervise(const Paths& paths, const std::string& project) {
  os::populate_heap(kWorkingHeap);
  keep_freed_memory();
  // What the command's caller had open (its lock, its pipe) is not ours to keep for our whole life.
  ::close_range(4, ~0U, 0);
  paths.make();
  os::make_directories(paths.project_run(project), 0700);
  os::UniqueFd ready;
  if (::fcntl(3, F_SETFD, FD_CLOEXEC) == 0) ready.reset(3);
  const auto lock = os::FileLock::try_acquire(paths.run + "/projects/" + project + ".lock");
  if (!lock) return 0;
  os::make_directories(paths.project_run(project), 0700);
  start_log(paths.project_run(project) + "/supervisor.log");
  ::signal(SIGCHLD, SIG_IGN);  // monitors are not waited for: they tell over their sockets
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);
  os::check(::chdir("/"), [] { return std::string("change to '/'"); });

  asio::io_context io(1);
  Supervisor supervisor(io, paths, project);
  std::exception_ptr failure;
  asio::co_spawn(io, supervisor.run(std::move(ready)), [&](std::exception_ptr failed) {
    failure = failed;
    io.stop();
  });
  io.run();
  if (failure) std::rethrow_exception(failure);
  ::unlink((paths.run + "/projects/" + project + ".lock").c_str());
  return 0;
}

}  // namespace orchestrator
