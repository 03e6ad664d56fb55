// stack-init: what is bound into a container that asked for an init helper. A program of its own,
// small and static, for it must run in a root file system that has nothing.
#include <cstdio>

#include "runtime/monitor/init.hpp"

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: %s PROGRAM [ARGUMENT…]\n",
                 count > 0 ? arguments[0] : "stack-init");
    return 125;
  }
  return monitor::run_init({arguments + 1, arguments + count});
}
