#include "runtime/os/namespace.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <exception>
#include <thread>

#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/mount.hpp"

namespace os {

namespace {

void on_own_thread(const std::function<void()>& work) {
  std::exception_ptr failure;
  std::thread([&] {
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

void in_network_namespace(int ns, const std::function<void()>& work) {
  on_own_thread([&] {
    check(::setns(ns, CLONE_NEWNET), [] { return std::string("enter a network namespace"); });
    work();
  });
}

void create_named_network_namespace(const std::string& path) {
  open_file(path, O_RDONLY | O_CREAT | O_EXCL, 0400);
  try {
    on_own_thread([&] {
      check(::unshare(CLONE_NEWNET), [] { return std::string("make a network namespace"); });
      check(::mount("/proc/thread-self/ns/net", path.c_str(), nullptr, MS_BIND, nullptr),
            [&] { return "pin a network namespace at '" + path + "'"; });
    });
  } catch (...) {
    ::unlink(path.c_str());
    throw;
  }
}

void remove_named_network_namespace(const std::string& path) {
  detach_mount(path);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw Error(errno, "remove '" + path + "'");
}

UniqueFd open_namespace(const std::string& path) { return open_file(path, O_RDONLY); }

}  // namespace os
