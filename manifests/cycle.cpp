#include "manifests/cycle.hpp"

#include <algorithm>

namespace manifests {

namespace {

using Dependencies = std::map<std::string, Dependency>;

/// A service on the way down, and which of its dependencies comes next.
struct Step {
  std::string name;
  Dependencies::const_iterator next;
  Dependencies::const_iterator end;
};

/// Depth-first over the services, with a stack of its own: a chain may be as long as the file.
class Search {
 public:
  explicit Search(const Stack& stack) : stack_(stack) {}

  std::vector<std::vector<std::string>> run() {
    for (const auto& [name, service] : stack_.services) {
      if (state_[name] == State::fresh) descend(name);
    }
    return std::move(cycles_);
  }

 private:
  enum class State { fresh, open, done };
  /// A dense graph has more than anybody would read.
  static constexpr std::size_t kMaxCycles = 100;

  void enter(const std::string& name) {
    const Dependencies& dependencies = stack_.services.at(name).depends_on;
    state_[name] = State::open;
    path_.push_back({name, dependencies.begin(), dependencies.end()});
  }

  void descend(const std::string& from) {
    enter(from);
    while (!path_.empty()) {
      Step& step = path_.back();
      if (step.next == step.end) {
        state_[step.name] = State::done;
        path_.pop_back();
        continue;
      }
      const std::string& name = (step.next++)->first;
      if (!stack_.services.contains(name)) continue;
      if (state_[name] == State::open && cycles_.size() < kMaxCycles) report(name);
      if (state_[name] == State::fresh) enter(name);
    }
  }

  void report(const std::string& name) {
    const auto start = std::find_if(path_.begin(), path_.end(),
                                    [&](const Step& step) { return step.name == name; });
    std::vector<std::string> cycle;
    for (auto step = start; step != path_.end(); ++step) cycle.push_back(step->name);
    cycle.push_back(name);
    cycles_.push_back(std::move(cycle));
  }

  const Stack& stack_;
  std::map<std::string, State> state_;
  std::vector<Step> path_;
  std::vector<std::vector<std::string>> cycles_;
};

}  // namespace

std::vector<std::vector<std::string>> dependency_cycles(const Stack& stack) {
  return Search(stack).run();
}

}  // namespace manifests
