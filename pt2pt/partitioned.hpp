// Partitioned communication: a persistent send whose buffer the program hands over part by part, and a receive that can be
// asked which parts have come.
//
// The two requests of a pair meet once, when they are made: the sender tells its partition count and the number of a
// channel, a context of the pair's own, by a message that is matched like any other (in a context beside the
// communicator's). From then on each partition of the sender is one message in the channel, its index being the tag. The
// receiver posts receives for the sender's partitions, whatever its own are.
#pragma once

#include "pt2pt/pt2pt.hpp"

namespace cow::pt2pt {

// A buffer of partitions * count elements.
struct PartitionedArgs {
  void* buffer;
  int partitions;
  MPI_Count count;  // of elements in a partition
  Datatype* type;
  int rank;  // no wildcard; may be MPI_PROC_NULL
  int tag;
  Comm* comm;
};

// `out` is persistent and inactive, with one reference for the caller.
Error make_partitioned_send(const PartitionedArgs& args, Request*& out);
Error make_partitioned_receive(const PartitionedArgs& args, Request*& out);

// A partition of an active send may be sent.
Error mark_ready(Request& request, int partition);

// Whether a partition of a receive is there; of an inactive one all are.
Error has_arrived(Request& request, int partition, bool& arrived);

}  // namespace cow::pt2pt
