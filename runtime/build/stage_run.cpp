// One stage from its FROM to its last instruction.
#include "runtime/build/check.hpp"
#include "runtime/build/expand.hpp"
#include "runtime/build/session.hpp"
#include "runtime/build/steps.hpp"
#include "runtime/os/error.hpp"

namespace build {

namespace {

bool makes_layer(const std::string& name) {
  return name == "RUN" || name == "COPY" || name == "ADD" || name == "WORKDIR";
}

class StageRun {
 public:
  StageRun(Session& session, const Stage& stage) : session_(session), stage_(stage) {
    place_.stage = &stage;
    place_.use_cache =
        !session.options.no_cache && !session.options.no_cache_stages.contains(stage.name);
    total_ = 1;
    for (const Instruction* instruction : stage.instructions)
      if (makes_layer(instruction->name)) ++total_;
  }

  StageResult run() {
    Base base = find_base();
    root_ = std::move(base.result.root);
    created_ = base.result.config.created;
    std::vector<std::string> triggers = std::move(base.result.config.on_build);
    base.result.config.on_build.clear();
    StageState state(std::move(base.result.config), session_.stage_input, session_.file.escape,
                     std::move(base.result.arguments));
    for (const std::string& trigger : triggers) run_trigger(state, trigger);
    for (const Instruction* instruction : stage_.instructions) run_instruction(state, *instruction);
    StageResult result{.root = std::move(root_),
                       .config = std::move(state.config()),
                       .arguments = state.arguments()};
    result.config.created = created_;
    return result;
  }

 private:
  std::string label(const std::string& text) {
    const std::string name = !stage_.name.empty() ? stage_.name + " "
                             : session_.graph.stages.size() > 1
                                 ? "stage-" + std::to_string(stage_.index) + " "
                                 : "";
    constexpr std::size_t kLongest = 200;
    std::string shown = text.substr(0, std::min(text.find('\n'), kLongest));
    return "[" + name + std::to_string(++count_) + "/" + std::to_string(total_) + "] " + shown;
  }

  Base find_base() {
    const std::string name = label(stage_.from->original);
    const std::size_t step = session_.progress.begin(name);
    try {
      Base base = build::find_base(session_, stage_);
      session_.progress.end(step, Progress::End::done);
      return base;
    } catch (const Canceled&) {
      session_.progress.end(step, Progress::End::canceled);
      throw;
    } catch (const BuildFailed&) {  // of the stage that this one is built from
      session_.progress.end(step, Progress::End::canceled);
      throw;
    } catch (const std::exception& error) {
      session_.progress.end(step, Progress::End::failed);
      fail(name, *stage_.from, error.what(), "");
    }
  }

  /// What ONBUILD kept in the base.
  void run_trigger(StageState& state, const std::string& trigger) {
    Dockerfile file = parse_dockerfile(trigger);
    for (const Instruction& instruction : file.instructions)
      check_instruction(instruction, file.escape, file.mistakes);
    if (!file.mistakes.empty() || file.instructions.size() != 1)
      fail(label(trigger), *stage_.from,
           "the base's trigger 'ONBUILD " + trigger + "' cannot be used: " +
               (file.mistakes.empty() ? "it is no instruction" : file.mistakes.front().message),
           "");
    Instruction instruction = std::move(file.instructions.front());
    instruction.at = stage_.from->at;
    instruction.last_line = stage_.from->last_line;
    if (makes_layer(instruction.name)) ++total_;
    run_instruction(state, instruction);
  }

  void run_instruction(StageState& state, const Instruction& instruction) {
    session_.cancel.check();
    const bool layer = makes_layer(instruction.name);
    const std::string name = layer ? label(instruction.original) : instruction.original;
    std::optional<std::size_t> shown;
    try {
      const Step step = state.apply(instruction);
      if (layer) shown = place_.progress = session_.progress.begin(name);
      const std::optional<StepOutcome> outcome = perform(step);
      if (shown)
        session_.progress.end(
            *shown, outcome && outcome->cached ? Progress::End::cached : Progress::End::done);
      if (outcome) created_ = outcome->record.created;
      if (!step.created_by.empty())
        state.config().history.push_back({.created = created_,
                                          .created_by = step.created_by,
                                          .author = "",
                                          .comment = "buildkit.dockerfile.v0",
                                          .empty_layer = !outcome});
    } catch (const Canceled&) {
      if (shown) session_.progress.end(*shown, Progress::End::canceled);
      throw;
    } catch (const BuildFailed&) {  // of a stage that this one needs
      if (shown) session_.progress.end(*shown, Progress::End::canceled);
      throw;
    } catch (const ProgramFailed& error) {
      session_.progress.end(*shown, Progress::End::failed);
      fail(name, instruction, error.what(), error.output());
    } catch (const std::exception& error) {
      if (shown) session_.progress.end(*shown, Progress::End::failed);
      fail(name, instruction, error.what(), "");
    }
  }

  std::optional<StepOutcome> perform(const Step& step) {
    if (const auto* run = std::get_if<RunStep>(&step.work))
      return perform_run(session_, *run, root_, place_);
    if (const auto* copy = std::get_if<CopyStep>(&step.work))
      return perform_copy(session_, *copy, root_, place_);
    if (const auto* workdir = std::get_if<WorkdirStep>(&step.work))
      return perform_workdir(session_, *workdir, root_, place_);
    return std::nullopt;
  }

  [[noreturn]] void fail(const std::string& name, const Instruction& instruction,
                         const std::string& message, const std::string& output) const {
    std::string text;
    if (!output.empty()) {
      text += "------\n > " + name + ":\n" + output;
      if (output.back() != '\n') text += "\n";
      text += "------\n";
    }
    text += session_.file_name + ":" + std::to_string(instruction.at.line) + "\n" +
            excerpt(session_.file.text, instruction.at.line, instruction.last_line);
    throw BuildFailed(message, text);
  }

  Session& session_;
  const Stage& stage_;
  StepPlace place_;
  Root root_;
  std::optional<image::Timestamp> created_;
  std::size_t count_ = 0;
  std::size_t total_ = 0;
};

}  // namespace

StageResult run_stage(Session& session, const Stage& stage) {
  return StageRun(session, stage).run();
}

}  // namespace build
