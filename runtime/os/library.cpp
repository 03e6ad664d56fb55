#include "runtime/os/library.hpp"

#include <dlfcn.h>

#include "runtime/os/error.hpp"

namespace os {

Library::Library(const char* soname) : handle_(::dlopen(soname, RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) throw Error(std::string("load a library: ") + ::dlerror());
}

void* Library::address(const char* name) const {
  void* found = ::dlsym(handle_, name);
  if (found == nullptr) throw Error(std::string("load a library: ") + ::dlerror());
  return found;
}

}  // namespace os
