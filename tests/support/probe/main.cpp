#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/support/probe/probe.hpp"

namespace probe {

std::string argument(const Arguments& arguments, std::size_t index, std::string otherwise) {
  return index < arguments.size() ? arguments[index] : std::move(otherwise);
}

long number(const Arguments& arguments, std::size_t index, long otherwise) {
  if (index >= arguments.size()) return otherwise;
  char* end = nullptr;
  const long value = std::strtol(arguments[index].c_str(), &end, 10);
  if (end != arguments[index].c_str() && *end == '\0') return value;
  std::fprintf(stderr, "'%s' is not a number\n", arguments[index].c_str());
  std::exit(2);
}

int failed(const std::string& name) {
  std::printf("%s: %s\n", name.c_str(), std::strerror(errno));
  return 1;
}

std::string errno_name(int errnum) {
  if (errnum == 0) return "ok";
  const char* name = ::strerrorname_np(errnum);
  return name == nullptr ? std::to_string(errnum) : name;
}

namespace {

const Verb* find(const std::string& name) {
  for (const auto* verbs : {&fact_verbs(), &act_verbs(), &permission_verbs(), &network_verbs(),
                            &attack_verbs(), &load_verbs()})
    for (const Verb& verb : *verbs)
      if (name == verb.name) return &verb;
  return nullptr;
}

void print_usage() {
  std::fputs("probe VERB [ARGUMENT…]\n", stderr);
  for (const auto* verbs : {&fact_verbs(), &act_verbs(), &permission_verbs(), &network_verbs(),
                            &attack_verbs(), &load_verbs()})
    for (const Verb& verb : *verbs) std::fprintf(stderr, "  %s %s\n", verb.name, verb.usage);
}

}  // namespace
}  // namespace probe

int main(int argc, char** argv) {
  // A log must show a line when it is written, whatever the test waits for next.
  std::setvbuf(stdout, nullptr, _IOLBF, 64 * 1024);
  if (argc < 2) {
    probe::print_usage();
    return 2;
  }
  const probe::Verb* verb = probe::find(argv[1]);
  if (verb == nullptr) {
    probe::print_usage();
    return 2;
  }
  return verb->run(probe::Arguments(argv + 2, argv + argc));
}
