// Every way on shared memory, once: rows of the registry behind the algorithms of messages.
#pragma once

#include "coll/algorithms/all.hpp"
#include "coll/shm/allgatherv.hpp"
#include "coll/shm/allreduce.hpp"
#include "coll/shm/alltoall.hpp"
#include "coll/shm/alltoallv.hpp"
#include "coll/shm/barrier.hpp"
#include "coll/shm/bcast.hpp"
#include "coll/shm/gather.hpp"
#include "coll/shm/gatherv.hpp"
#include "coll/shm/neighborhood.hpp"
#include "coll/shm/reduce.hpp"
#include "coll/shm/reduce_scatter.hpp"
#include "coll/shm/scan.hpp"
#include "coll/shm/scatter.hpp"
#include "coll/shm/scatterv.hpp"

namespace cow::coll::shm {

using AllWays =
    AlgorithmList<Barrier, Bcast, BcastPieces, Reduce, ReduceBlocks, ReducePieces, Allreduce, AllreduceBlocks,
                  AllreducePieces, AllreduceRoot, Gather, GatherPieces<false>, Scatter, ScatterPieces, Gatherv,
                  Scatterv, Allgather, GatherPieces<true>, Allgatherv, Alltoall, AlltoallPairs, AlltoallPieces,
                  Alltoallv, ScanLookBack<true>, ScanShm<true>, ScanPieces<true>, ScanLookBack<false>, ScanShm<false>,
                  ScanPieces<false>, ReduceScatterShm<false>, ReduceScatterPieces<false>, ReduceScatterShm<true>,
                  ReduceScatterPieces<true>, NeighboursShm<Collective::neighbor_allgather>,
                  NeighboursShm<Collective::neighbor_alltoall>>;

}  // namespace cow::coll::shm
