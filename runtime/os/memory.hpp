// Memory before it is touched. A page that is touched first costs an interrupt of the program, ten
// and more times what a page costs that the kernel is asked for among many (madvise(2),
// MADV_POPULATE_WRITE). All of it is advice: what the kernel refuses comes when it is touched.
#pragma once

#include <cstddef>

namespace os {

/// Has malloc() keep `bytes` at the end of its heap, which later allocations take, and give nothing
/// back to the kernel below twice as much but for malloc_trim(3). For a program that is about to
/// use as much.
void populate_heap(std::size_t bytes) noexcept;

/// Maps the program's own code and constants, and gives it its heap as far as populate_heap() made
/// it and `stack` bytes of its stack. Right after the start, and again on both sides of a clone(2):
/// the child has none of it, and both are to copy what they write to.
void populate_program(std::size_t stack) noexcept;

}  // namespace os
