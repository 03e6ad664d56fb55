#include "orchestrator/journal.hpp"

#include <fcntl.h>

#include "runtime/os/fd.hpp"

namespace orchestrator {

void Journal::note(const ContainerRecord& container, const std::string& action,
                   const std::map<std::string, std::string>& attributes) {
  std::map<std::string, std::string> all = attributes;
  all["image"] = container.image;
  all["name"] = container.name;
  const Json entry = {{"time", timestamp_now()},
                      {"type", "container"},
                      {"action", action},
                      {"id", container.id},
                      {"service", container.service},
                      {"name", container.name},
                      {"oneoff", container.oneoff},
                      {"attributes", all}};
  const os::UniqueFd file = os::open_file(path_, O_WRONLY | O_APPEND | O_CREAT, 0600);
  os::write_all(file.get(), entry.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n",
                path_);
  if (listener_) listener_(entry);
}

}  // namespace orchestrator
