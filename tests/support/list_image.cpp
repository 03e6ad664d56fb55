// list_image ARCHIVE: what an archive of `save` holds, as tests/golden/dockerfile writes it down.
#include <cstdio>
#include <exception>

#include "tests/support/image_listing.hpp"

int main(int count, char** arguments) try {
  if (count != 2) {
    std::fputs("usage: list_image ARCHIVE\n", stderr);
    return 2;
  }
  std::fputs(support::list_image(arguments[1]).c_str(), stdout);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "list_image: %s: %s\n", arguments[1], error.what());
  return 1;
}
