#include "runtime/build/graph.hpp"

#include <charconv>

#include "runtime/build/expand.hpp"
#include "runtime/build/flags.hpp"
#include "runtime/build/run_mount.hpp"
#include "runtime/build/values.hpp"
#include "runtime/os/error.hpp"

namespace build {

namespace {

std::string lowercase(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

void add_platform(std::map<std::string, std::string>& args, const std::string& prefix,
                  const image::Platform& platform) {
  args[prefix + "PLATFORM"] = platform.text();
  args[prefix + "OS"] = platform.os;
  args[prefix + "OSVERSION"] = "";
  args[prefix + "ARCH"] = platform.architecture;
  args[prefix + "VARIANT"] = platform.variant;
}

class Builder {
 public:
  Builder(const Dockerfile& file, const GraphInput& input, std::vector<Mistake>& mistakes)
      : file_(file), input_(input), mistakes_(mistakes) {}

  Graph run() {
    add_platform(graph_.global_args, "BUILD", input_.build_platform);
    add_platform(graph_.global_args, "TARGET", input_.target_platform);
    graph_.global_args["TARGETSTAGE"] = input_.target.empty() ? "default" : input_.target;
    for (const Instruction& instruction : file_.instructions) {
      if (instruction.name == "FROM") {
        add_stage(instruction);
      } else if (graph_.stages.empty()) {
        if (instruction.name == "ARG") add_global(instruction);
      } else {
        graph_.stages.back().instructions.push_back(&instruction);
        if (instruction.name == "ARG") note_declared(instruction);
      }
    }
    for (Stage& stage : graph_.stages)
      for (const Instruction* instruction : stage.instructions) add_needs(stage, *instruction);
    choose_target();
    return std::move(graph_);
  }

 private:
  void note_declared(const Instruction& instruction) {
    for (const Argument& argument : split_arguments(instruction.rest.text(), file_.escape))
      graph_.declared_args.insert(argument.name);
  }

  Lookup globals() const {
    return [this](std::string_view name) -> std::optional<std::string> {
      const auto found = graph_.global_args.find(std::string(name));
      return found == graph_.global_args.end() ? std::nullopt : std::optional(found->second);
    };
  }

  std::string expanded(const std::string& text, Position at) {
    try {
      return expand_word(text, globals(), {.escape = file_.escape});
    } catch (const ExpandError& error) {
      mistakes_.push_back({at, error.what(), ""});
      return {};
    }
  }

  void add_global(const Instruction& instruction) {
    note_declared(instruction);
    for (const Argument& argument : split_arguments(instruction.rest.text(), file_.escape)) {
      const auto given = input_.build_args.find(argument.name);
      if (given != input_.build_args.end())
        graph_.global_args[argument.name] = given->second;
      else if (argument.value)
        graph_.global_args[argument.name] = expanded(*argument.value, instruction.at);
    }
  }

  void add_stage(const Instruction& instruction) {
    Stage stage;
    stage.index = graph_.stages.size();
    stage.from = &instruction;
    const std::vector<RawWord> words = split_blanks(instruction.rest.text());
    const std::string base = expanded(words.front().text, instruction.rest.at(0));
    if (words.size() == 3) stage.name = lowercase(words[2].text);
    if (base.empty())
      mistakes_.push_back({instruction.rest.at(0),
                           "the image's name '" + words.front().text + "' comes to nothing",
                           "give its ARG a default, or pass --build-arg"});
    stage.platform = expanded(flag_text(instruction, "platform"), instruction.at);
    check_platform(stage, instruction);
    stage.base = base == "scratch"
                     ? Origin{.kind = Origin::Kind::scratch, .stage = 0, .name = base}
                     : find_origin(graph_.stages, stage.index, input_.contexts, base, false);
    // A stage that is replaced by a context of its name is never built.
    if (!stage.name.empty() && input_.contexts.contains(stage.name))
      stage.base = {.kind = Origin::Kind::context, .stage = 0, .name = stage.name};
    if (stage.base.kind == Origin::Kind::stage) stage.needs.insert(stage.base.stage);
    graph_.stages.push_back(std::move(stage));
  }

  void check_platform(const Stage& stage, const Instruction& instruction) {
    if (stage.platform.empty()) return;
    try {
      image::parse_platform(stage.platform);
    } catch (const os::Error& error) {
      mistakes_.push_back({instruction.at, error.what(), ""});
    }
  }

  void add_needs(Stage& stage, const Instruction& instruction) {
    if (!input_.contexts.empty() && stage.base.kind == Origin::Kind::context &&
        stage.base.name == stage.name)
      return;
    const auto need = [&](const std::string& name, bool numbers, Position at) {
      if (name.empty()) return;
      const Origin origin = find_origin(graph_.stages, stage.index, input_.contexts, name, numbers);
      if (origin.kind == Origin::Kind::stage) stage.needs.insert(origin.stage);
      if (origin.kind == Origin::Kind::image) check_later_stage(stage, name, numbers, at);
    };
    if (instruction.name == "COPY") need(flag_text(instruction, "from"), true, instruction.at);
    if (instruction.name != "RUN") return;
    const Lookup none = [](std::string_view) { return std::optional<std::string>("0"); };
    for (const Flag& flag : instruction.flags)
      if (flag.name == "mount")
        need(parse_run_mount(flag.value.value_or(""), none).from, false, flag.at);
  }

  /// An image may be called like a later stage; that somebody means the stage is likelier.
  void check_later_stage(const Stage& stage, const std::string& name, bool numbers, Position at) {
    const std::string lower = lowercase(name);
    std::size_t number = 0;
    const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool is_number = failed == std::errc() && end == name.data() + name.size();
    if (numbers && is_number && number >= stage.index) {
      mistakes_.push_back(
          {at, "there is no stage " + name + " before this one", "stages are counted from 0"});
      return;
    }
    for (std::size_t i = stage.index; i < graph_.stages.size(); ++i)
      if (graph_.stages[i].name == lower)
        mistakes_.push_back({at,
                             "the stage '" + name + "' " +
                                 (i == stage.index ? "cannot read itself" : "comes later"),
                             "a stage may use earlier ones only"});
  }

  void choose_target() {
    if (graph_.stages.empty()) return;
    graph_.target = graph_.stages.size() - 1;
    if (!input_.target.empty()) {
      const std::string wanted = lowercase(input_.target);
      std::vector<std::string> names;
      bool found = false;
      for (const Stage& stage : graph_.stages) {
        if (!stage.name.empty()) names.push_back(stage.name);
        if (stage.name != wanted) continue;
        graph_.target = stage.index;
        found = true;
      }
      if (!found)
        mistakes_.push_back({{},
                             "target stage '" + input_.target + "' could not be found",
                             did_you_mean(wanted, names)});
    }
    reach(graph_.target);
  }

  void reach(std::size_t index) {
    if (!graph_.needed.insert(index).second) return;
    for (const std::size_t each : graph_.stages[index].needs) reach(each);
  }

  const Dockerfile& file_;
  const GraphInput& input_;
  std::vector<Mistake>& mistakes_;
  Graph graph_;
};

}  // namespace

Origin find_origin(const std::vector<Stage>& stages, std::size_t before,
                   const std::set<std::string>& contexts, std::string_view name, bool numbers) {
  const std::string lower = lowercase(name);
  if (contexts.contains(std::string(name)))
    return {.kind = Origin::Kind::context, .stage = 0, .name = std::string(name)};
  for (std::size_t i = before; i-- > 0;)
    if (!stages[i].name.empty() && stages[i].name == lower)
      return {.kind = Origin::Kind::stage, .stage = i, .name = stages[i].name};
  std::size_t number = 0;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (numbers && failed == std::errc() && end == name.data() + name.size() && number < before)
    return {.kind = Origin::Kind::stage, .stage = number, .name = std::string(name)};
  return {.kind = Origin::Kind::image, .stage = 0, .name = std::string(name)};
}

Graph make_graph(const Dockerfile& file, const GraphInput& input, std::vector<Mistake>& mistakes) {
  return Builder(file, input, mistakes).run();
}

}  // namespace build
