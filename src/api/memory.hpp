// Exhausted memory, at the border of the library.
#pragma once

#include <new>

#include "base/error.hpp"

namespace cow::api {

// What the library's own allocations throw (memory.cpp). No exception of the program is one, so the bindings take this for
// MPI_ERR_NO_MEM and let pass whatever functions of the program have thrown.
struct NoMemory : std::bad_alloc {
  const char* what() const noexcept override;
};

[[gnu::cold]] Error no_memory();

}  // namespace cow::api
