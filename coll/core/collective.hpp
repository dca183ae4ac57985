// The collectives, and what the fields of Args mean to each.
#pragma once

#include "base/layout.hpp"
#include "coll/core/nodes.hpp"
#include "coll/core/verbs.hpp"

namespace cow::coll {

// The measure is what the choice of an algorithm goes by; it must be the same number at every rank.
enum class Collective : std::uint8_t {
  barrier,     // nothing
  bcast,       // recv[count] from root; unit: byte; measure: count
  reduce,      // send[count] to recv[count] at root; measure: bytes of the vector
  allreduce,   // send[count] to recv[count]; measure: bytes of the vector
  gather,      // send[count] to recv[count * size] at root; unit: byte; measure: count
  scatter,     // send[count * size] at root to recv[count]; unit: byte; measure: count
  gatherv,     // send[count] of send_type to recv[counts[i]] at displs[i] of type at root; no measure
  scatterv,    // send[send_counts[i]] at send_displs[i] of send_type at root to recv[count] of type; no measure
  allgather,   // send[count] to recv[count * size]; unit: byte; measure: count
  allgatherv,  // send[counts[rank]] to recv[counts[i]] at displs[i]; unit: byte; measure: sum of counts / size
  alltoall,    // send[count * size] to recv[count * size]; unit: byte; measure: count
  alltoallv,   // blocks i at displs[i] of types[i]; no measure (MPI_Alltoallw's displacements: in bytes)
  scan,        // send[count] to recv[count]; measure: bytes of the vector
  exscan,      // as scan
  reduce_scatter_block,  // send[count * size] to recv[count]; measure: bytes of the whole vector
  reduce_scatter,        // send[sum of counts] to recv[counts[rank]]; displs: running sums; measure: as above
  neighbor_allgather,  // send[count] to each of `neighbours`, recv[counts[i]] at displs[i] of type from each; no measure
  neighbor_alltoall,   // blocks i at displs[i] of types[i], one a neighbour; no measure
};
inline constexpr int collectives = 18;

const char* name_of(Collective collective);
// Collectives of which the ranks do not know alike how much they move, or that it is nothing.
inline bool has_no_measure(Collective which) {
  return which == Collective::barrier || which == Collective::gatherv || which == Collective::scatterv ||
         which == Collective::alltoallv || which == Collective::neighbor_allgather ||
         which == Collective::neighbor_alltoall;
}
bool reduces(Collective collective);

// What ranks of a node can publish on the memory that they share: see shm/slots.hpp.
enum class Memory : std::uint8_t {
  none,
  parts,        // the ranks are those of several nodes: parts of their collectives go by the memory of each
  slots,        // up to 4 KiB in a round
  buffers,      // up to 32 KiB
  large_rings,  // up to 256 KiB
};
inline constexpr int memories = 5;

// A collective as the choice of its algorithm sees it: what all ranks know alike.
struct Problem {
  int size = 1;
  Count bytes = 0;  // the measure
  bool commutative = true;
  const Layout* layout = nullptr;  // null: a switch; its size equals `size`
  const Nodes* nodes = nullptr;    // null: nothing is known, take every rank as a node of its own
  Memory memory = Memory::none;    // that the ranks share
  double processors = 0;           // of the node, where all ranks share one; 0: one for each rank
};

}  // namespace cow::coll
