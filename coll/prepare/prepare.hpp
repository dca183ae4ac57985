// From the arguments of MPI's collectives to an Operation: checks that need the collective's own knowledge,
// MPI_IN_PLACE, datatypes, counts and displacements in bytes.
#pragma once

#include "coll/core/call.hpp"
#include "objects/counts.hpp"

namespace cow::coll {

struct Data {
  const void* buffer;
  MPI_Count count;
  Datatype* type;
};
struct GivenData {
  const void* buffer;
  Counts counts;
  Counts displs;
  Datatype* type;
};
struct MixedData {
  const void* buffer;
  Counts counts;
  Counts displs;  // in bytes
  const MPI_Datatype* types;
};

Error prepare_barrier(Operation& o, Comm& comm);
Error prepare_bcast(Operation& o, Comm& comm, const Data& data, int root);
Error prepare_gather(Operation& o, Comm& comm, const Data& send, const Data& recv, int root);
Error prepare_scatter(Operation& o, Comm& comm, const Data& send, const Data& recv, int root);
Error prepare_gatherv(Operation& o, Comm& comm, const Data& send, const GivenData& recv, int root);
Error prepare_scatterv(Operation& o, Comm& comm, const GivenData& send, const Data& recv, int root);
Error prepare_allgather(Operation& o, Comm& comm, const Data& send, const Data& recv);
Error prepare_allgatherv(Operation& o, Comm& comm, const Data& send, const GivenData& recv);
Error prepare_alltoall(Operation& o, Comm& comm, const Data& send, const Data& recv);
Error prepare_alltoallv(Operation& o, Comm& comm, const GivenData& send, const GivenData& recv);
Error prepare_alltoallw(Operation& o, Comm& comm, const MixedData& send, const MixedData& recv);

// Reductions: the vector is `data`, the result goes to `result`.
Error prepare_reduce(Operation& o, Comm& comm, const Data& data, void* result, Op* op, int root);
// allreduce, scan, exscan
Error prepare_sum(Operation& o, Collective which, Comm& comm, const Data& data, void* result, Op* op);
Error prepare_reduce_scatter_block(Operation& o, Comm& comm, const Data& data, void* result, Op* op);
Error prepare_reduce_scatter(Operation& o, Comm& comm, const void* buffer, Counts counts, Datatype* type, void* result,
                             Op* op);

// Bytes, as the unit of what only moves data.
Unit byte_unit();

}  // namespace cow::coll
