#include "orchestrator/project.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstdlib>

#include "manifests/decode.hpp"
#include "manifests/print.hpp"
#include "runtime/container/cgroup.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"
#include "runtime/os/process.hpp"

namespace orchestrator {

namespace {

std::string stack_file(const Paths& paths, const std::string& project) {
  return paths.project(project) + "/stack.json";
}

}  // namespace

Project::Project(boost::asio::io_context& io, Paths paths, std::string name)
    : io_(io),
      paths_(std::move(paths)),
      name_(std::move(name)),
      runtime_(runtime_executable()),
      changed_(io.get_executor()),
      images_(paths_.images()),
      volumes_(paths_.volumes()),
      journal_(paths_.project_run(name_) + "/events.jsonl"),
      fabric_(io, paths_, name_),
      cgroups_(container::CgroupLayout::detect()) {}

const ImageUse& Project::image(const std::string& id) {
  const auto cached = image_cache_.find(id);
  if (cached != image_cache_.end()) return cached->second;
  auto found = images_.find(id);
  if (!found) throw os::Error("image " + id + " is gone from the store");
  std::vector<std::string> layers = images_.layer_directories(*found);
  return image_cache_.emplace(id, ImageUse{std::move(*found), std::move(layers)}).first->second;
}

Task<> Project::adopt() {
  if (const auto text = os::read_file_if_exists(stack_file(paths_, name_), 256U << 20))
    desired_ = manifests::from_json(Json::parse(*text));
  sweep_containers(paths_, name_);
  for (ContainerRecord& record : read_records(paths_, name_)) {
    const std::string id = record.id;
    containers_.emplace(id, std::make_shared<Container>(*this, std::move(record)));
  }
  co_await fabric_.adopt();
  int left = static_cast<int>(containers_.size());
  for (const auto& container : containers())
    boost::asio::co_spawn(io_, adopt_container(container, &left), boost::asio::detached);
  while (left > 0) co_await changed_.wait();
}

Task<> Project::adopt_container(std::shared_ptr<Container> container, int* left) {
  try {
    co_await container->adopt();
  } catch (const std::exception& error) {
    // One container that cannot be taken up must not keep the others from being supervised.
    journal_.note(container->record(), "adoption failed", {{"error", error.what()}});
  }
  --*left;
  changed_.notify();
}

std::shared_ptr<Container> Project::add(ContainerRecord record) {
  create_record(paths_, record);
  const std::string id = record.id;
  auto container = std::make_shared<Container>(*this, std::move(record));
  containers_.emplace(id, container);
  journal_.note(container->record(), "create");
  changed_.notify();
  return container;
}

void Project::forget(const std::string& id) {
  containers_.erase(id);
  changed_.notify();
}

std::vector<std::shared_ptr<Container>> Project::containers() const {
  std::vector<std::shared_ptr<Container>> all;
  for (const auto& [id, container] : containers_) all.push_back(container);
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a->name() < b->name(); });
  return all;
}

std::shared_ptr<Container> Project::find(const std::string& id) const {
  const auto found = containers_.find(id);
  return found == containers_.end() ? nullptr : found->second;
}

std::shared_ptr<Container> Project::find_by_name(const std::string& name) const {
  for (const auto& [id, container] : containers_)
    if (container->name() == name) return container;
  return nullptr;
}

std::vector<std::shared_ptr<Container>> Project::of_service(const std::string& service) const {
  std::vector<std::shared_ptr<Container>> replicas;
  for (const auto& [id, container] : containers_)
    if (!container->record().oneoff && container->record().service == service)
      replicas.push_back(container);
  std::sort(replicas.begin(), replicas.end(),
            [](const auto& a, const auto& b) { return a->record().number < b->record().number; });
  return replicas;
}

std::vector<ExistingContainer> Project::existing() const {
  std::vector<ExistingContainer> all;
  for (const auto& container : containers())
    all.push_back({container->record(), container->status().state});
  return all;
}

bool Project::uses_volume(const std::string& volume, const std::string& but_for) const {
  for (const auto& [id, container] : containers_)
    for (const VolumeUse& use : container->record().volumes)
      if (id != but_for && use.name == volume) return true;
  return false;
}

void Project::set_desired(manifests::Stack stack) {
  os::make_directories(paths_.project(name_));
  const Json json = manifests::to_json(stack, manifests::Detail::complete);
  os::write_file_atomic(stack_file(paths_, name_), json.dump(1) + "\n");
  desired_ = std::move(stack);
}

void Project::erase() {
  desired_.reset();
  os::remove_tree(paths_.project(name_));
  container::remove_cgroup_parent(cgroups_, "/stack/" + name_);
  container::remove_cgroup_parent(cgroups_, "/stack");
}

std::vector<std::string> Project::supervise_command() const {
  return {os::self_executable(), "supervise", name_};
}

}  // namespace orchestrator
