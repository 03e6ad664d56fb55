// The probe: a static program that tests put into containers. Each verb prints one fact as seen
// from inside, or does one thing, and ends with a telling exit code.
#pragma once

#include <string>
#include <vector>

namespace probe {

using Arguments = std::vector<std::string>;

/// One verb: what to type and what it does; `run` returns the exit code.
struct Verb {
  const char* name;
  const char* usage;
  int (*run)(const Arguments&);
};

/// identity, namespaces, mounts, limits, devices: what the kernel says about this process.
const std::vector<Verb>& fact_verbs();
/// exits, signals, memory, processes, output.
const std::vector<Verb>& act_verbs();
/// system calls that a policy may forbid: prints the errno of each.
const std::vector<Verb>& permission_verbs();
/// what a hostile program tries.
const std::vector<Verb>& attack_verbs();
/// listening, connecting, resolving.
const std::vector<Verb>& network_verbs();
/// load for benchmarks.
const std::vector<Verb>& load_verbs();

/// argument `index` or `otherwise`.
std::string argument(const Arguments& arguments, std::size_t index, std::string otherwise = {});
/// argument `index` as a number; `otherwise` when absent. A word that is no number ends the probe.
long number(const Arguments& arguments, std::size_t index, long otherwise);
/// Prints "NAME: REASON" with errno and returns 1.
int failed(const std::string& name);
/// errno's symbol as tests compare it, "ok" for 0.
std::string errno_name(int errnum);

}  // namespace probe
