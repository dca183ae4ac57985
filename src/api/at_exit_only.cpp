// Linked into libmpi_abi.so.1 in front of the C library's function of this name (ld --wrap): whatever has a destructor among
// the static objects of the library, and of the libstdc++ inside it, stays as it is when the process exits. Why:
// runtime/at_exit.hpp. What these objects own is still reached from them, so it is no leak.
#include "runtime/at_exit.hpp"

extern "C" {

int __real___cxa_atexit(void (*function)(void*), void* argument, void* library);

[[gnu::visibility("hidden")]] int __wrap___cxa_atexit(void (*function)(void*), void* argument, void* library) {
  return function == cow::runtime::run_in_own_process ? __real___cxa_atexit(function, argument, library) : 0;
}
}
