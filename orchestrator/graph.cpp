#include "orchestrator/graph.hpp"

#include <algorithm>

#include "runtime/os/error.hpp"

namespace orchestrator {

namespace {

/// Depth-first walk that puts each service after its dependencies.
class Sorter {
 public:
  explicit Sorter(const std::map<std::string, std::set<std::string>>& edges) : edges_(edges) {}

  std::vector<std::string> sort() {
    for (const auto& [service, dependencies] : edges_) visit(service);
    return std::move(order_);
  }

 private:
  void visit(const std::string& service) {
    if (done_.contains(service)) return;
    const auto open = std::find(path_.begin(), path_.end(), service);
    if (open != path_.end()) fail(open, service);
    path_.push_back(service);
    for (const std::string& dependency : edges_.at(service)) visit(dependency);
    path_.pop_back();
    done_.insert(service);
    order_.push_back(service);
  }

  [[noreturn]] void fail(std::vector<std::string>::const_iterator from,
                         const std::string& closing) {
    std::string cycle;
    for (auto step = from; step != path_.cend(); ++step) cycle += *step + " -> ";
    throw os::Error("dependency cycle detected: " + cycle + closing);
  }

  const std::map<std::string, std::set<std::string>>& edges_;
  std::vector<std::string> path_;
  std::set<std::string> done_;
  std::vector<std::string> order_;
};

}  // namespace

Graph Graph::of(const std::map<std::string, manifests::Service>& services) {
  Graph graph;
  for (const auto& [name, service] : services) {
    graph.dependencies_[name];
    graph.dependents_[name];
  }
  for (const auto& [name, service] : services) {
    for (const auto& [dependency, how] : service.depends_on) {
      if (!services.contains(dependency)) continue;  // optional, and not part of this run
      graph.dependencies_[name].insert(dependency);
      graph.dependents_[dependency].insert(name);
    }
  }
  graph.order_ = Sorter(graph.dependencies_).sort();
  return graph;
}

const std::set<std::string>& Graph::dependencies(const std::string& service) const {
  return dependencies_.at(service);
}

const std::set<std::string>& Graph::dependents(const std::string& service) const {
  return dependents_.at(service);
}

std::set<std::string> Graph::with_dependencies(const std::set<std::string>& services) const {
  return closure(dependencies_, services);
}

std::set<std::string> Graph::with_dependents(const std::set<std::string>& services) const {
  return closure(dependents_, services);
}

std::set<std::string> Graph::closure(const Edges& edges, const std::set<std::string>& from) {
  std::set<std::string> reached;
  std::vector<std::string> open(from.begin(), from.end());
  while (!open.empty()) {
    const std::string service = open.back();
    open.pop_back();
    if (!edges.contains(service) || !reached.insert(service).second) continue;
    const auto& next = edges.at(service);
    open.insert(open.end(), next.begin(), next.end());
  }
  return reached;
}

}  // namespace orchestrator
