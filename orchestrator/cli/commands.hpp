// The commands by name. Each declares its flags, parses them and does its work.
#pragma once

#include <span>
#include <string_view>

#include "orchestrator/cli/invocation.hpp"

namespace cli {

struct Command {
  std::string_view name;
  std::string_view summary;  ///< empty: not in the help
  int (*run)(Invocation& invocation);
};

/// In the order of the help.
std::span<const Command> commands();
/// nullptr when there is none of that name.
const Command* find_command(std::string_view name);

// Each returns the exit code and throws UsageError, os::Error or manifests::InvalidManifest.
int up(Invocation& invocation);
int create(Invocation& invocation);
int scale(Invocation& invocation);
int down(Invocation& invocation);
int start(Invocation& invocation);
int stop(Invocation& invocation);
int restart(Invocation& invocation);
int kill(Invocation& invocation);
int pause(Invocation& invocation);
int unpause(Invocation& invocation);
int rm(Invocation& invocation);
int wait(Invocation& invocation);
int ps(Invocation& invocation);
int ls(Invocation& invocation);
int port(Invocation& invocation);
int top(Invocation& invocation);
int stats(Invocation& invocation);
int logs(Invocation& invocation);
int events(Invocation& invocation);
int exec(Invocation& invocation);
int attach(Invocation& invocation);
int cp(Invocation& invocation);
int export_files(Invocation& invocation);
int run(Invocation& invocation);
int config(Invocation& invocation);
int lsp(Invocation& invocation);
int build(Invocation& invocation);
int images(Invocation& invocation);
int rmi(Invocation& invocation);
int import(Invocation& invocation);
int load(Invocation& invocation);
int network(Invocation& invocation);
int save(Invocation& invocation);
int pull(Invocation& invocation);
int push(Invocation& invocation);
int tag(Invocation& invocation);
int login(Invocation& invocation);
int logout(Invocation& invocation);
int image_group(Invocation& invocation);
int bundle(Invocation& invocation);
int df(Invocation& invocation);
int prune(Invocation& invocation);
int doctor(Invocation& invocation);
int volume(Invocation& invocation);
int volumes(Invocation& invocation);
int version(Invocation& invocation);
int supervise(Invocation& invocation);

}  // namespace cli
