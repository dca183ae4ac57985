// What the bindings hand to bodies in place of the two widths of MPI's arguments.
#pragma once

#include <mpi.h>

namespace cow {

// An array of counts or displacements, of int or of 64 bits. A view: the program owns the array.
class Counts {
 public:
  constexpr Counts() = default;
  constexpr Counts(const int* values) : small_(values) {}
  constexpr Counts(const MPI_Count* values) : large_(values) {}
  constexpr Counts(decltype(nullptr)) {}

  constexpr explicit operator bool() const { return small_ || large_; }
  constexpr MPI_Count operator[](MPI_Count i) const { return small_ ? small_[i] : large_[i]; }

 private:
  const int* small_ = nullptr;
  const MPI_Count* large_ = nullptr;
};

static_assert(sizeof(MPI_Aint) == sizeof(MPI_Count), "displacements in bytes and counts share one view");

// A callback of the program that takes counts as int (small) or MPI_Count (large); the other one is null.
template <class Small, class Large>
struct PolyFunction {
  Small* small = nullptr;
  Large* large = nullptr;

  constexpr PolyFunction(Small* function) : small(function) {}
  constexpr PolyFunction(Large* function) : large(function) {}
};

}  // namespace cow
