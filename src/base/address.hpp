// Addresses as numbers, since a buffer may be an absolute address from MPI_BOTTOM.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cow {

// So many bytes behind an address, or before it.
constexpr std::uintptr_t moved(std::uintptr_t address, std::ptrdiff_t bytes) {
  return address + static_cast<std::uintptr_t>(bytes);
}

}  // namespace cow
