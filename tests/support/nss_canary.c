/* A name service library as an image may ship it: where it is loaded, /tmp/nss-canary appears. */
#include <fcntl.h>
#include <sys/syscall.h>

static long call(long number, long first, long second, long third, long fourth) {
  long result = 0;
  register long r10 __asm__("r10") = fourth;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(first), "S"(second), "d"(third), "r"(r10)
                   : "rcx", "r11", "memory");
  return result;
}

__attribute__((constructor)) static void leave_a_trace(void) {
  call(SYS_openat, AT_FDCWD, (long)"/tmp/nss-canary", O_WRONLY | O_CREAT, 0644);
}
