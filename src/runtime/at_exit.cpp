#include "runtime/at_exit.hpp"

#include <cxxabi.h>
#include <unistd.h>

extern "C" [[gnu::visibility("hidden")]] void* __dso_handle;

namespace cow::runtime {
namespace {

pid_t owner = 0;

}  // namespace

void run_in_own_process(void* what) {
  if (getpid() == owner) reinterpret_cast<void (*)()>(what)();
}

void at_exit(void (*what)()) {
  owner = getpid();
  abi::__cxa_atexit(run_in_own_process, reinterpret_cast<void*>(what), &__dso_handle);
}

}  // namespace cow::runtime
