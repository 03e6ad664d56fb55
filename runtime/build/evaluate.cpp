#include "runtime/build/evaluate.hpp"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "runtime/build/dockerignore.hpp"
#include "runtime/build/expand.hpp"
#include "runtime/build/flags.hpp"
#include "runtime/build/values.hpp"
#include "runtime/image/duration.hpp"
#include "runtime/os/error.hpp"

namespace build {

namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string go_list(const std::vector<std::string>& words) {
  std::string text = "[";
  for (const std::string& word : words) text += (text.size() > 1 ? " " : "") + word;
  return text + "]";
}

std::string go_quoted_list(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  for (const std::string& word : words)
    quoted.push_back(
        nlohmann::json(word).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  return go_list(quoted);
}

/// A number as Go's %q prints it.
std::string go_quoted_character(std::int64_t value) {
  constexpr std::string_view kNamed = "abtnvfr";  // from 7 on
  char text[16];
  if (value >= 7 && value <= 13)
    std::snprintf(text, sizeof text, "'\\%c'", kNamed[static_cast<std::size_t>(value - 7)]);
  else if (value == '\'' || value == '\\')
    std::snprintf(text, sizeof text, "'\\%c'", static_cast<int>(value));
  else if (value >= ' ' && value < 127)
    std::snprintf(text, sizeof text, "'%c'", static_cast<int>(value));
  else
    std::snprintf(text, sizeof text, "'\\x%02x'", static_cast<unsigned>(value) & 0xffU);
  return text;
}

/// As Go's %q prints the structure, which is what Docker writes down.
std::string go_text(const image::Healthcheck& check) {
  std::string text = "&{" + go_quoted_list(check.test);
  for (const std::chrono::nanoseconds each :
       {check.interval, check.timeout, check.start_period, check.start_interval})
    text += " \"" + image::go_duration(each) + "\"";
  return text + " " + go_quoted_character(check.retries) + "}";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

void put(std::vector<std::pair<std::string, std::string>>& list, const std::string& name,
         const std::string& value) {
  for (auto& [known, current] : list) {
    if (known != name) continue;
    current = value;
    return;
  }
  list.emplace_back(name, value);
}

}  // namespace

const std::set<std::string>& proxy_names() {
  static const std::set<std::string> names{"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY",   "NO_PROXY",
                                           "ALL_PROXY",  "http_proxy",  "https_proxy", "ftp_proxy",
                                           "no_proxy",   "all_proxy"};
  return names;
}

std::string absolute_path(const std::string& directory, std::string_view path) {
  const bool is_directory = path.ends_with('/') || path.ends_with("/.") || path == ".";
  std::string whole(path);
  if (!path.starts_with('/')) whole = directory + "/" + whole;
  const std::string clean = clean_relative(whole);
  return "/" + clean + (is_directory && !clean.empty() ? "/" : "");
}

StageState::StageState(image::ImageConfig config, const StageInput& input, char escape,
                       Arguments inherited)
    : config_(std::move(config)), input_(input), escape_(escape) {
  for (const auto& [name, value] : inherited) declare(name, value);
  bool has_path = false;
  for (const std::string& entry : config_.env) {
    const auto equals = entry.find('=');
    const std::string name = entry.substr(0, equals);
    has_path |= name == "PATH";
    put(variables_, name, equals == std::string::npos ? "" : entry.substr(equals + 1));
  }
  if (!has_path) {
    config_.set_env("PATH", kDefaultPath);
    put(variables_, "PATH", std::string(kDefaultPath));
  }
}

std::optional<std::string> StageState::value(std::string_view name) const {
  for (const auto& [known, value] : variables_)
    if (known == name) return value;
  return std::nullopt;
}

std::string StageState::expanded(std::string_view text) const {
  return expand_word(text, [this](std::string_view name) { return value(name); },
                     {.escape = escape_});
}

void StageState::declare(const std::string& name, const std::optional<std::string>& value) {
  const auto known = std::find_if(arguments_.begin(), arguments_.end(),
                                  [&](const auto& each) { return each.first == name; });
  if (known == arguments_.end())
    arguments_.emplace_back(name, value);
  else if (value)
    known->second = value;
  if (value) set(name, *value);
}

void StageState::set(const std::string& name, const std::string& value) {
  put(variables_, name, value);
}

Step StageState::apply(const Instruction& instruction) {
  const std::string& name = instruction.name;
  if (name == "ARG") return argument(instruction);
  if (name == "ENV") return environment(instruction);
  if (name == "LABEL") return label(instruction);
  if (name == "RUN") return run(instruction);
  if (name == "COPY" || name == "ADD") return copy(instruction);
  if (name == "WORKDIR") return workdir(instruction);
  if (name == "CMD") return command(instruction);
  if (name == "ENTRYPOINT") return entrypoint(instruction);
  if (name == "EXPOSE") return expose(instruction);
  if (name == "VOLUME") return volume(instruction);
  if (name == "HEALTHCHECK") return healthcheck(instruction);
  return simple(instruction);
}

Step StageState::argument(const Instruction& instruction) {
  std::string text;
  for (const Argument& each : split_arguments(instruction.rest.text(), escape_)) {
    std::optional<std::string> chosen;
    if (const auto given = input_.build_args.find(each.name); given != input_.build_args.end())
      chosen = given->second;
    else if (each.value)
      chosen = expanded(*each.value);
    else if (const auto global = input_.global_args.find(each.name);
             global != input_.global_args.end())
      chosen = global->second;
    declare(each.name, chosen);
    text += " " + each.name + (chosen ? "=" + *chosen : "");
  }
  return {.work = {}, .created_by = "ARG" + text};
}

Step StageState::environment(const Instruction& instruction) {
  // Every value is what it was before the instruction.
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [name, value] : split_pairs(instruction.rest.text(), escape_))
    pairs.emplace_back(expanded(name), expanded(value));
  std::string text;
  for (const auto& [name, value] : pairs) {
    config_.set_env(name, value);
    set(name, value);
    text += " " + name + "=" + value;
  }
  return {.work = {}, .created_by = "ENV" + text};
}

Step StageState::label(const Instruction& instruction) {
  std::string text;
  for (const auto& [name, value] : split_pairs(instruction.rest.text(), escape_)) {
    const std::string key = expanded(name);
    config_.labels[key] = expanded(value);
    text += " " + key + "=" + config_.labels[key];
  }
  return {.work = {}, .created_by = "LABEL" + text};
}

std::vector<std::string> StageState::in_shell(const std::string& text) const {
  std::vector<std::string> words = config_.shell;
  if (words.empty()) words = {"/bin/sh", "-c"};
  words.push_back(text);
  return words;
}

std::vector<std::string> StageState::environment_of_run() const {
  std::vector<std::string> result;
  for (const auto& [name, value] : variables_) result.push_back(name + "=" + value);
  return result;
}

Step StageState::run(const Instruction& instruction) {
  RunStep step;
  const Lookup lookup = [this](std::string_view name) { return value(name); };
  const CommandForm form = command_form(instruction.rest.text(), instruction.json);
  std::string script = form.words.empty() ? "" : form.words.front();
  if (!instruction.heredocs.empty()) {
    const Heredoc& first = instruction.heredocs.front();
    const bool alone = instruction.heredocs.size() == 1 && instruction.rest.text() == first.word;
    if (alone && first.content.starts_with("#!")) {
      step.script_name = first.name;
      step.script = first.content;
    } else if (alone) {
      script = first.content;
    } else {
      for (const Heredoc& each : instruction.heredocs) script += "\n" + each.content + each.name;
    }
  }
  if (!step.script_name.empty()) script = "/dev/pipes/" + step.script_name;
  step.arguments = form.shell ? in_shell(script) : form.words;
  step.environment = environment_of_run();
  for (const auto& [name, value] : input_.proxies) {
    std::string lower = name;
    for (char& c : lower)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    for (const std::string& each : {name, lower})
      if (!this->value(each)) step.hidden.push_back(each + "=" + value);
  }
  step.user = config_.user;
  step.directory = "/" + clean_relative(config_.working_dir);
  for (const Flag& flag : instruction.flags) {
    if (flag.name == "mount")
      step.mounts.push_back(parse_run_mount(flag.value.value_or(""), lookup));
    if (flag.name == "network") step.network = flag.value.value_or("default");
    if (flag.name == "security") step.security = flag.value.value_or("sandbox");
    if (flag.name == "device") step.devices.push_back(flag.value.value_or(""));
  }
  std::string arguments;
  if (!arguments_.empty()) {
    arguments = "|" + std::to_string(arguments_.size()) + " ";
    for (const auto& [name, given] : arguments_)
      arguments += name + "=" + value(name).value_or("") + " ";
  }
  std::string created_by = "RUN " + arguments + joined(step.arguments) + " # buildkit";
  return {.work = std::move(step), .created_by = std::move(created_by)};
}

Step StageState::copy(const Instruction& instruction) {
  CopyStep step;
  step.is_add = instruction.name == "ADD";
  const Lookup lookup = [this](std::string_view name) { return value(name); };
  std::vector<std::string> words;
  std::string shown_files;
  std::string destination;
  if (instruction.json) {
    words = *instruction.json;
  } else {
    for (const RawWord& word : split_blanks(instruction.rest.text())) words.push_back(word.text);
  }
  if (words.size() < 2) throw os::Error(instruction.name + " needs at least two arguments");
  auto heredoc = instruction.heredocs.begin();
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (heredoc != instruction.heredocs.end() && words[i] == heredoc->word) {
      const std::string content =
          heredoc->expand
              ? expand_word(heredoc->content, lookup, {.escape = '\\', .keep_quotes = true})
              : heredoc->content;
      step.files.push_back({heredoc->name, content});
      shown_files += " <<" + heredoc->name;
      ++heredoc;
      continue;
    }
    const std::string word = expanded(words[i]);
    if (i + 1 < words.size()) {
      step.sources.push_back(word);
    } else {
      destination = word;
      if (word.empty()) throw os::Error("the destination is empty");
      step.destination =
          absolute_path(config_.working_dir.empty() ? "/" : config_.working_dir, word);
    }
  }
  step.from = flag_text(instruction, "from");
  step.chown = expanded(flag_text(instruction, "chown"));
  step.chmod = expanded(flag_text(instruction, "chmod"));
  step.link = flag_on(instruction, "link");
  step.parents = flag_on(instruction, "parents");
  step.excludes = flag_list(instruction, "exclude");
  step.checksum = expanded(flag_text(instruction, "checksum"));
  step.keep_git_directory = flag_on(instruction, "keep-git-dir");
  if (find_flag(instruction, "unpack") != nullptr) step.unpack = flag_on(instruction, "unpack");
  std::string flags;
  if (step.parents) flags += " --parents";
  if (!step.chown.empty()) flags += " --chown=" + step.chown;
  if (!step.chmod.empty()) flags += " --chmod=" + step.chmod;
  if (!step.sources.empty()) flags += " " + joined(step.sources);
  std::string created_by =
      instruction.name + flags + shown_files + " " + destination + " # buildkit";
  return {.work = std::move(step), .created_by = std::move(created_by)};
}

Step StageState::workdir(const Instruction& instruction) {
  const std::string text = expanded(instruction.rest.text());
  std::string path = absolute_path(config_.working_dir.empty() ? "/" : config_.working_dir, text);
  if (path.size() > 1 && path.back() == '/') path.pop_back();
  config_.working_dir = text.starts_with('/') ? text : path;  // one that is absolute stays as it is
  Step step{.work = {}, .created_by = "WORKDIR " + config_.working_dir};
  if (path != "/") step.work = WorkdirStep{.path = path, .user = config_.user};
  return step;
}

Step StageState::command(const Instruction& instruction) {
  const CommandForm form = command_form(instruction.rest.text(), instruction.json);
  config_.cmd = form.shell ? in_shell(form.words.front()) : form.words;
  config_.args_escaped = true;
  command_given_ = true;
  return {.work = {}, .created_by = "CMD " + go_quoted_list(config_.cmd)};
}

Step StageState::entrypoint(const Instruction& instruction) {
  const CommandForm form = command_form(instruction.rest.text(), instruction.json);
  config_.entrypoint = form.shell ? in_shell(form.words.front()) : form.words;
  if (!command_given_) config_.cmd.clear();
  return {.work = {}, .created_by = "ENTRYPOINT " + go_quoted_list(config_.entrypoint)};
}

Step StageState::expose(const Instruction& instruction) {
  const Lookup lookup = [this](std::string_view name) { return value(name); };
  std::vector<std::string> ports;
  // In the order of the words as they are written.
  std::vector<std::string> words;
  for (const RawWord& word : split_blanks(instruction.rest.text())) words.push_back(word.text);
  std::sort(words.begin(), words.end());
  for (const std::string& written : words)
    for (const std::string& word : expand_words(written, lookup, {.escape = escape_}))
      for (std::string& port : parse_ports(word)) ports.push_back(std::move(port));
  for (const std::string& port : ports) config_.exposed_ports.insert(port);
  return {.work = {}, .created_by = "EXPOSE " + go_list(ports)};
}

Step StageState::volume(const Instruction& instruction) {
  std::vector<std::string> paths;
  if (instruction.json) {
    for (const std::string& word : *instruction.json) paths.push_back(expanded(word));
  } else {
    for (const RawWord& word : split_blanks(instruction.rest.text()))
      paths.push_back(expanded(word.text));
  }
  for (const std::string& path : paths) {
    if (path.empty()) throw os::Error("VOLUME: a path is empty");
    config_.volumes.insert(path);
  }
  return {.work = {}, .created_by = "VOLUME " + go_list(paths)};
}

Step StageState::healthcheck(const Instruction& instruction) {
  config_.healthcheck = parse_healthcheck(instruction);
  return {.work = {}, .created_by = "HEALTHCHECK " + go_text(*config_.healthcheck)};
}

Step StageState::simple(const Instruction& instruction) {
  const std::string& name = instruction.name;
  const std::string& text = instruction.rest.text();
  if (name == "ONBUILD") {
    std::string trigger = text;
    for (const Heredoc& heredoc : instruction.heredocs)
      trigger += "\n" + heredoc.content + heredoc.name;
    config_.on_build.push_back(trigger);
    return {};
  }
  if (name == "SHELL") {
    config_.shell = instruction.json.value_or(std::vector<std::string>{});
    return {.work = {}, .created_by = "SHELL " + go_list(config_.shell)};
  }
  if (name == "MAINTAINER") {
    config_.author = text;
    return {.work = {}, .created_by = "MAINTAINER " + text};
  }
  if (name == "USER") {
    config_.user = expanded(text);
    if (config_.user.empty()) throw os::Error("USER comes to nothing");
    return {.work = {}, .created_by = "USER " + config_.user};
  }
  if (name == "STOPSIGNAL") {
    config_.stop_signal = parse_stop_signal(expanded(text));
    return {.work = {}, .created_by = "STOPSIGNAL " + config_.stop_signal};
  }
  throw os::Error("unknown instruction: " + name);
}

}  // namespace build
