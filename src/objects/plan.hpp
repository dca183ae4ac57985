// Copy plans: a datatype's map without its element types, normalised: what copying it takes, and nothing else.
//
// A plan is data without pointers (indices into two arrays), so that it can be sent to another process and run there.
// Nodes stand in preorder; node 0 is the root. The form is canonical in these respects: adjacent bytes are one block;
// a loop over blocks that touch is one block; a loop of a loop with matching strides is one loop; equal blocks at
// equal distances are a loop.
#pragma once

#include <cstdint>
#include <vector>

#include <mpi.h>

namespace cow {

struct TypeMap;

struct PlanNode {
  enum class Kind : std::uint32_t {
    block,   // `bytes` bytes
    loop,    // `count` copies of node `child`, `stride` apart
    blocks,  // entries first … first+count-1 of `pieces`: blocks
    parts,   // the same, each with a node of its own
  };
  Kind kind = Kind::block;
  std::uint32_t child = 0;
  MPI_Aint displacement = 0;  // from the place of the parent's copy (or entry) to this node's
  MPI_Count bytes = 0;        // packed, of the whole node
  MPI_Count count = 0;
  MPI_Aint stride = 0;
  MPI_Count first = 0;
  MPI_Count block_bytes = 0;  // blocks: their common size, or 0
};

struct PlanPiece {
  MPI_Aint displacement = 0;
  MPI_Count before = 0;  // packed bytes of the pieces before this one
  MPI_Count bytes = 0;
  std::uint32_t node = 0;  // parts
};

struct Plan {
  std::vector<PlanNode> nodes;
  std::vector<PlanPiece> pieces;
};

Plan make_plan(const TypeMap& map);

}  // namespace cow
