// From the arguments of MPI's neighbourhood collectives to an Operation. See prepare/prepare.hpp.
#pragma once

#include "coll/prepare/prepare.hpp"

namespace cow::coll {

Error prepare_neighbor_allgather(Operation& o, Comm& comm, const Data& send, const Data& recv);
Error prepare_neighbor_allgatherv(Operation& o, Comm& comm, const Data& send, const GivenData& recv);
Error prepare_neighbor_alltoall(Operation& o, Comm& comm, const Data& send, const Data& recv);
Error prepare_neighbor_alltoallv(Operation& o, Comm& comm, const GivenData& send, const GivenData& recv);
Error prepare_neighbor_alltoallw(Operation& o, Comm& comm, const MixedData& send, const MixedData& recv);

}  // namespace cow::coll
