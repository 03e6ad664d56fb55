// A harness without libFuzzer: each file of a directory as it is, cut short, and with bytes changed
// in the same way every time. Shows that a harness still builds and holds, in seconds.
//
//   fuzz_NAME DIRECTORY [VARIANTS]
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>

#include "runtime/os/file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::string mutated(std::string input, std::mt19937& random) {
  const auto below = [&](std::size_t limit) { return random() % limit; };
  for (std::size_t changes = 1 + below(4); changes > 0 && !input.empty(); --changes) {
    const std::size_t at = below(input.size());
    switch (below(4)) {
      case 0:
        input[at] = static_cast<char>(below(256));
        break;
      case 1:
        input.erase(at, 1 + below(8));
        break;
      case 2:
        input.insert(at, input.substr(below(input.size()), 1 + below(16)));
        break;
      default:
        input.resize(at);
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("fuzz_NAME DIRECTORY [VARIANTS]\n", stderr);
    return 2;
  }
  const std::string directory = argv[1];
  const int variants = argc > 2 ? std::stoi(argv[2]) : 100;
  std::mt19937 random(1);
  int inputs = 0;
  for (const std::string& name : os::list_directory(directory)) {
    const std::string input = os::read_file(directory + "/" + name);
    run(input);
    for (int i = 0; i < variants; ++i) run(mutated(input, random));
    inputs += 1 + variants;
  }
  std::printf("%d inputs\n", inputs);
  return inputs > 0 ? 0 : 1;
}
