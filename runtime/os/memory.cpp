#include "runtime/os/memory.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

// Of the linker: where the program begins, and where its constants have ended (end(3)).
extern "C" const char __executable_start;
extern "C" const char edata;

namespace os {

namespace {

const char* heap_begin = nullptr;
const char* heap_end = nullptr;

void populate(const char* from, const char* to, int advice) noexcept {
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(from) / page * page;
  const auto finish = (reinterpret_cast<std::uintptr_t>(to) + page - 1) / page * page;
  if (finish > begin) ::madvise(reinterpret_cast<void*>(begin), finish - begin, advice);
}

}  // namespace

void populate_heap(std::size_t bytes) noexcept {
  ::mallopt(M_MMAP_THRESHOLD, static_cast<int>(std::max<std::size_t>(bytes * 2, 1024 * 1024)));
  ::mallopt(M_TRIM_THRESHOLD, static_cast<int>(bytes * 2));
  auto* const block = static_cast<char*>(std::malloc(bytes));
  if (block == nullptr) return;
  heap_begin = block;
  heap_end = block + bytes;
  populate(heap_begin, heap_end, MADV_POPULATE_WRITE);
  std::free(block);
}

void populate_program(std::size_t stack) noexcept {
  populate(&__executable_start, &edata, MADV_POPULATE_READ);
  populate(heap_begin, heap_end, MADV_POPULATE_WRITE);
  const char here = 0;
  populate(&here - stack, &here, MADV_POPULATE_WRITE);
}

}  // namespace os
