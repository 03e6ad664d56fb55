// The flags that `up`, `create` and `scale` share, and the request they come to.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/cli/invocation.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/protocol.hpp"

namespace cli {

struct UpOptions {
  orchestrator::protocol::Up request;
  std::vector<std::string> scale;
  std::string pull;
  std::string bundle;    ///< `up --bundle FILE`
  bool offline = false;  ///< nothing is fetched
  bool build = false;
  bool no_build = false;
  bool quiet = false;        ///< of fetching
  bool quiet_build = false;  ///< of building
  bool yes = false;
};

/// Declares the flags that both `up` and `create` have.
void declare_up_options(CommandLine& line, UpOptions& options);

/// Reads "SERVICE=NUM". Throws os::Error in the words of Compose C4.
std::map<std::string, int> parse_scale(const std::vector<std::string>& pairs, const char* option);

/// Checks the flags against each other and completes the request: environment variables, the
/// numbers of `--scale`, the stack. Throws UsageError and os::Error.
void complete_request(const Invocation& invocation, UpOptions& options,
                      const manifests::Stack& stack);

/// Fetches the images that the policies ask for. False, with every failure printed, when one could
/// not be had.
bool fetch_images(const Invocation& invocation, const UpOptions& options,
                  const manifests::Stack& stack);

/// What the request would do, on standard output.
int print_plan(const Invocation& invocation, const manifests::Stack& stack,
               const orchestrator::protocol::Up& request);

/// Builds the images that the request needs: missing ones, or with --build all that can be built.
/// False when it was interrupted.
bool build_images(const Invocation& invocation, const manifests::Stack& stack,
                  const UpOptions& options);

/// False, with every mistake printed, when the stack could not be brought up as it stands.
bool passes_preflight(const Invocation& invocation, const manifests::Stack& stack,
                      const orchestrator::protocol::Up& request);

}  // namespace cli
