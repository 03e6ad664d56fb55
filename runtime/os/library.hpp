// A shared library that few processes need, loaded by the first that does.
#pragma once

namespace os {

/// Stays loaded for the life of the process, so that its functions may be kept.
class Library {
 public:
  /// `soname` as the linker would record it. Throws Error when it is not there (dlopen(3)).
  explicit Library(const char* soname);

  /// The function of that name; `F` is its type, taken from its header. Throws Error.
  template <class F>
  F* function(const char* name) const {
    return reinterpret_cast<F*>(address(name));
  }

 private:
  void* address(const char* name) const;

  void* handle_;
};

}  // namespace os
