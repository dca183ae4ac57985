// Type maps: which basic elements a datatype consists of, where each lies, and in what order. A tree, immutable and
// shared by all types that are built from it, so that making a type costs as much as its arguments are long.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "objects/predefined.hpp"

namespace cow {

struct TypeMap;
using TypeMapPointer = std::shared_ptr<const TypeMap>;

struct TypeMap {
  enum class Kind : std::uint8_t {
    leaf,   // one basic element at displacement 0
    loop,   // `count` copies of `child`, `stride` bytes apart
    parts,  // children of different kinds, one after the other
  };
  // `count` copies of a child, `stride` apart, from `displacement` on.
  struct Part {
    MPI_Aint displacement;
    MPI_Count count;
    MPI_Aint stride;
    TypeMapPointer child;
    MPI_Count bytes_before = 0;     // packed bytes of the parts before this one
    MPI_Count elements_before = 0;  // basic elements of the parts before this one
  };

  Kind kind = Kind::parts;
  Basic basic = Basic::none;  // leaf
  std::uint8_t external = 0;  // leaf: bytes in external32
  bool is_wide_char = false;  // leaf: MPI_WCHAR
  MPI_Count bytes = 0;        // of data
  MPI_Count external_bytes = 0;
  MPI_Count elements = 0;  // basic elements
  MPI_Aint true_lb = 0;    // lowest and one past the highest byte of the data; both 0 when there is none
  MPI_Aint true_ub = 0;
  MPI_Count count = 0;  // loop
  MPI_Aint stride = 0;
  TypeMapPointer child;
  std::vector<Part> parts;
};

TypeMapPointer map_leaf(Basic basic, int external_bytes, bool is_wide_char = false);

// Copies of a map; sizes beyond 64 bits are an error.
Error map_loop(MPI_Count count, MPI_Aint stride, const TypeMapPointer& child, TypeMapPointer& out);

// Fills in bytes_before and elements_before.
Error map_parts(std::vector<TypeMap::Part>&& parts, TypeMapPointer& out);

// The same map, moved.
Error map_shift(MPI_Aint displacement, const TypeMapPointer& child, TypeMapPointer& out);

}  // namespace cow
