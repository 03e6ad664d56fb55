#include "manifests/extends.hpp"

#include <algorithm>

#include "manifests/merge.hpp"

namespace manifests {

namespace {

constexpr std::size_t kMaxChain = 100;

struct Reference {
  std::string service;
  std::string file;  ///< empty: the same
  Position file_at;
};

class Extender {
 public:
  Extender(const ScopeLoader& load, Diagnostics& diagnostics)
      : load_(load), diagnostics_(diagnostics) {}

  /// Completes service `name` of `scope` in place.
  void complete(const std::string& name, ServiceScope& scope);

 private:
  bool read(const Node& extends, const std::string& name, Reference& reference);
  bool enter(const std::string& name, const ServiceScope& scope, const Position& at);
  const Node* base_of(const std::string& name, const Reference& reference, ServiceScope& scope,
                      const Position& at);

  struct Step {
    std::string file;
    std::string service;
    std::string shown;
  };
  const ScopeLoader& load_;
  Diagnostics& diagnostics_;
  std::vector<Step> chain_;
};

bool Extender::read(const Node& extends, const std::string& name, Reference& reference) {
  if (extends.is_scalar() || extends.is_null()) {
    reference.service = extends.text;
    return true;
  }
  const Node* service = extends.find("service");
  if (service == nullptr || !service->is_scalar()) {
    diagnostics_.error(extends.at, "extends." + name + ".service is required").path =
        "services." + name + ".extends";
    return false;
  }
  reference.service = service->text;
  const Node* file = extends.find("file");
  if (file == nullptr || file->is_null()) return true;
  if (!file->is_scalar()) {
    diagnostics_.error(file->at, "services." + name + ".extends.file must be a string").path =
        "services." + name + ".extends";
    return false;
  }
  reference.file = file->text;
  reference.file_at = file->at;
  return true;
}

/// Adds a step to the chain, unless it is there already.
bool Extender::enter(const std::string& name, const ServiceScope& scope, const Position& at) {
  const auto known = std::find_if(chain_.begin(), chain_.end(), [&](const Step& step) {
    return step.file == scope.file && step.service == name;
  });
  if (known == chain_.end() && chain_.size() < kMaxChain) {
    chain_.push_back({scope.file, name, name + " in " + scope.name});
    return true;
  }
  std::string message = "Circular reference:";
  const auto first = known == chain_.end() ? chain_.begin() : known;
  for (auto step = first; step != chain_.end(); ++step)
    message += std::string("\n  ") + (step == first ? "" : "extends ") + step->shown;
  message += "\n  extends " + name + " in " + scope.name;
  diagnostics_.error(at, std::move(message)).path =
      "services." + chain_.front().service + ".extends";
  return false;
}

const Node* Extender::base_of(const std::string& name, const Reference& reference,
                              ServiceScope& scope, const Position& at) {
  ServiceScope* base_scope = &scope;
  if (!reference.file.empty()) base_scope = load_(reference.file, reference.file_at);
  if (base_scope == nullptr) {
    diagnostics_.last().path = "services." + name + ".extends";
    return nullptr;
  }
  if (base_scope->services.find(reference.service) == nullptr) {
    const std::string where = reference.file.empty() ? "" : " in " + base_scope->name;
    std::vector<std::string> names;
    for (const Entry& entry : base_scope->services.entries) names.push_back(entry.key);
    Diagnostic& diagnostic =
        diagnostics_.error(at, "cannot extend service \"" + name + "\" in " + scope.name +
                                   ": service \"" + reference.service + "\" not found" + where);
    diagnostic.path = "services." + name + ".extends";
    diagnostic.suggestion = nearest(reference.service, names);
    if (!diagnostic.suggestion.empty())
      diagnostic.hint = "did you mean \"" + diagnostic.suggestion + "\"?";
    if (!names.empty() && !reference.file.empty() && base_scope->services.at) {
      diagnostic.related = base_scope->services.at;
      diagnostic.related_message = "the services of that file";
    }
    return nullptr;
  }
  complete(reference.service, *base_scope);
  return base_scope->services.find(reference.service);
}

void Extender::complete(const std::string& name, ServiceScope& scope) {
  Node* service = scope.services.find(name);
  const Node* found = service->find("extends");
  if (found == nullptr) return;
  const Node extends = *found;
  if (!enter(name, scope, extends.at)) {
    service->erase("extends");
    return;
  }
  Reference reference;
  const Node* base = nullptr;
  if (read(extends, name, reference)) base = base_of(name, reference, scope, extends.at);
  service->erase("extends");
  if (base != nullptr && base->is_mapping()) {
    Node inherited = Node::make_mapping(base->at);
    Node services = Node::make_mapping();
    services.set(name, *base);
    inherited.set("services", std::move(services));
    std::vector<TreePath> resets = scope.resets;
    std::erase_if(resets, [](const TreePath& path) { return path.size() < 3; });
    erase_paths(inherited, resets);
    *service = merge(std::move(*inherited.find("services")->find(name)), std::move(*service),
                     {"services", name}, diagnostics_);
  }
  chain_.pop_back();
}

}  // namespace

void apply_extends(ServiceScope& scope, const ScopeLoader& load, Diagnostics& diagnostics) {
  for (const Entry& entry : scope.services.entries) {
    Extender extender(load, diagnostics);
    extender.complete(entry.key, scope);
  }
}

}  // namespace manifests
