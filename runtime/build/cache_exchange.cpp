#include "runtime/build/cache_exchange.hpp"

#include <fcntl.h>

#include "runtime/build/layer_tar.hpp"
#include "runtime/build/run_mounts.hpp"
#include "runtime/image/layer.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace build {

namespace {

image::RegistryOptions registry_options(Session& session) {
  image::RegistryOptions options;
  options.environment = session.options.environment;
  options.warn = [&progress = session.progress](const std::string& text) {
    progress.note("warning: " + text);
  };
  return options;
}

/// The tar of a mount that nobody uses now; empty when there is none.
std::string pack_mount(Session& session, const std::string& key, std::size_t step) {
  const std::string path = mount_directory(session.options, key);
  if (!os::exists(path + "/data")) return {};
  const auto alone = os::FileLock::try_acquire(path + ".lock");
  if (!alone) {
    session.progress.line(step, "a cache mount is left out: another build uses it");
    return {};
  }
  const std::string tar = session.workspace.temporary();
  const os::UniqueFd fd = os::open_file(tar, O_WRONLY | O_CREAT | O_EXCL, 0600);
  std::string buffer;
  constexpr std::size_t kPiece = 256 * 1024;
  write_tree_tar(path + "/data", [&](std::string_view data) {
    buffer += data;
    if (buffer.size() < kPiece) return;
    os::write_all(fd.get(), buffer, tar);
    buffer.clear();
  });
  os::write_all(fd.get(), buffer, tar);
  return tar;
}

void write_one(Session& session, const CacheLocation& location, std::size_t step) {
  CacheContent content{.records = session.workspace.used(), .mounts = {}};
  if (location.mounts)
    for (const std::string& key : session.cache_mounts())
      if (const std::string tar = pack_mount(session, key, step); !tar.empty())
        content.mounts[key] = tar;
  write_shared_cache(location, content, session.workspace.store().layout(),
                     registry_options(session));
}

}  // namespace

void open_shared_caches(Session& session) {
  for (const CacheLocation& location : session.options.cache_from) {
    const std::size_t step = session.progress.begin("importing cache from " + location.place);
    try {
      session.workspace.add_shared_cache(open_shared_cache(
          location, session.workspace.store().layout(), registry_options(session)));
      session.progress.end(step, Progress::End::done);
    } catch (const os::Error& error) {
      session.progress.end(step, Progress::End::done);
      session.progress.note("warning: no cache from " + location.place + ": " + error.what());
    }
  }
}

void write_shared_caches(Session& session) {
  for (const CacheLocation& location : session.options.cache_to) {
    session.cancel.check();
    const std::size_t step = session.progress.begin("exporting cache to " + location.place);
    try {
      write_one(session, location, step);
      session.progress.end(step, Progress::End::done);
    } catch (const os::Error& error) {
      session.progress.end(step, Progress::End::failed);
      if (!location.ignore_error) throw error.in("write the cache to " + location.place);
      session.progress.note("warning: no cache written to " + location.place + ": " + error.what());
    }
  }
}

bool fill_from_shared(Session& session, const std::string& key, const std::string& directory) {
  const os::UniqueFd tar = session.workspace.open_shared_mount(key);
  if (!tar) return false;
  try {
    const os::UniqueFd fd = os::open_file(directory, O_RDONLY | O_DIRECTORY);
    image::unpack_archive(fd.get(), image::LayerStack({directory}),
                          image::read_source(tar.get(), "a shared cache mount"), std::nullopt);
    return true;
  } catch (const os::Error& error) {
    session.progress.note("warning: a cache mount begins empty: " + std::string(error.what()));
    os::remove_tree(directory);
    os::make_directories(directory, 0755);
    return false;
  }
}

}  // namespace build
