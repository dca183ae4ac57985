// Copy plans: a datatype's map without its element types, normalised: what copying it takes, and nothing else.
//
// A plan is data without pointers (indices into arrays), so that it can be sent to another process and run there.
// Nodes stand in preorder; node 0 is the root. The form is canonical in these respects: adjacent bytes are one block;
// a loop over blocks that touch is one block; a loop of a loop with matching strides is one loop; equal blocks at
// equal distances are a loop.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <vector>

namespace cow {

struct TypeMap;

struct PlanNode {
  enum class Kind : std::uint32_t {
    block,          // `bytes` bytes
    loop,           // `count` copies of node `child`, `stride` apart
    blocks,         // `count` blocks of `block_bytes` at places[first …]
    narrow_blocks,  // the same at narrow_places[first …]: the list is read as fast as the data are copied
    pieces,         // `count` blocks of different sizes: pieces[first …]
    parts,          // the same, each with a node of its own: part_nodes[child …]
  };
  Kind kind = Kind::block;
  std::uint32_t child = 0;
  MPI_Aint displacement = 0;  // from the place of the parent's copy (or piece) to this node's
  MPI_Count bytes = 0;        // packed, of the whole node
  MPI_Count count = 0;
  MPI_Aint stride = 0;
  MPI_Count first = 0;
  MPI_Count block_bytes = 0;
};

// A piece ends where the next one begins in the packed stream; one more piece stands behind the last.
struct PlanPiece {
  MPI_Aint displacement = 0;
  MPI_Count before = 0;  // packed bytes of the pieces before this one
};

struct Plan {
  std::vector<PlanNode> nodes;
  std::vector<MPI_Aint> places;
  std::vector<std::int32_t> narrow_places;
  std::vector<PlanPiece> pieces;
  std::vector<std::uint32_t> part_nodes;
};

Plan make_plan(const TypeMap& map);

}  // namespace cow
