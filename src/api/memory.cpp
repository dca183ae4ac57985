// The library's operator new, and what the standard library calls when there is no memory or a length is absurd. In
// libmpi_abi.so the linker puts these in the place of those that they are named after (library.cmake), for the library
// alone: the program's are not touched.
#include "api/memory.hpp"

#include <cstddef>
#include <cstdlib>

namespace cow::api {
namespace {

[[noreturn, gnu::cold, gnu::noinline]] void throw_no_memory() { throw NoMemory(); }

}  // namespace

const char* NoMemory::what() const noexcept { return "no memory"; }

Error no_memory() { return fail(ErrorClass::no_mem, "there is no memory left for what the call needs"); }

}  // namespace cow::api

extern "C" {

// operator new(std::size_t); that of arrays and those that do not throw call it.
void* __wrap__Znwm(std::size_t size) {
  if (void* const memory = malloc(size ? size : 1)) [[likely]]
    return memory;
  cow::api::throw_no_memory();
}

// operator new(std::size_t, std::align_val_t)
void* __wrap__ZnwmSt11align_val_t(std::size_t size, std::align_val_t alignment) {
  const auto unit = static_cast<std::size_t>(alignment);
  if (void* const memory = aligned_alloc(unit, (size + unit - 1) / unit * unit)) [[likely]]
    return memory;
  cow::api::throw_no_memory();
}

// std::__throw_bad_alloc, std::__throw_bad_array_new_length, std::__throw_length_error; new T[n] with an absurd n
[[noreturn]] void __wrap__ZSt17__throw_bad_allocv() { cow::api::throw_no_memory(); }
[[noreturn]] void __wrap__ZSt28__throw_bad_array_new_lengthv() { cow::api::throw_no_memory(); }
[[noreturn]] void __wrap__ZSt20__throw_length_errorPKc(const char*) { cow::api::throw_no_memory(); }
[[noreturn]] void __wrap___cxa_throw_bad_array_new_length() { cow::api::throw_no_memory(); }

}  // extern "C"
