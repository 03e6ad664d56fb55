#include "runtime/os/memory.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <cstring>

namespace os {
namespace {

// A sanitizer's malloc() has no heap.
#ifndef __SANITIZE_ADDRESS__
long page_faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

TEST(Memory, APopulatedHeapDoesNotFault) {
  constexpr std::size_t kSize = 4 * 1024 * 1024;
  populate_heap(kSize);
  const long before = page_faults();
  void* const block = std::malloc(kSize / 2);
  std::memset(block, 1, kSize / 2);
  // 512 pages; a few faults are those of the calls themselves.
  EXPECT_LT(page_faults() - before, 32);
  std::free(block);
}
#endif

TEST(Memory, AProgramMayBePopulatedAnyTime) {
  populate_program(16 * 1024);
  populate_program(0);
}

}  // namespace
}  // namespace os
