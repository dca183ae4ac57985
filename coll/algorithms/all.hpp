// Every algorithm, once. The order within a collective matters only between equal predicted times: the first wins (so
// those in two levels come first: plain trees are as good only where root and places happen to suit them).
#pragma once

#include "coll/algorithms/allgather.hpp"
#include "coll/algorithms/allreduce_bine.hpp"
#include "coll/algorithms/allreduce_dimension_exchange.hpp"
#include "coll/algorithms/allreduce_doubling.hpp"
#include "coll/algorithms/allreduce_rabenseifner.hpp"
#include "coll/algorithms/allreduce_ring.hpp"
#include "coll/algorithms/allreduce_swing.hpp"
#include "coll/algorithms/alltoall_bruck.hpp"
#include "coll/algorithms/alltoall_dimensions.hpp"
#include "coll/algorithms/alltoall_direct.hpp"
#include "coll/algorithms/barrier_dissemination.hpp"
#include "coll/algorithms/barrier_tree.hpp"
#include "coll/algorithms/bcast_binomial.hpp"
#include "coll/algorithms/bcast_chain.hpp"
#include "coll/algorithms/bcast_scatter_allgather.hpp"
#include "coll/algorithms/bcast_spanning_trees.hpp"
#include "coll/algorithms/bine.hpp"
#include "coll/algorithms/bucket.hpp"
#include "coll/algorithms/gather_scatter.hpp"
#include "coll/algorithms/gather_scatter_linear.hpp"
#include "coll/algorithms/neighbours.hpp"
#include "coll/algorithms/nodes_all.hpp"
#include "coll/algorithms/nodes_rooted.hpp"
#include "coll/algorithms/reduce_binomial.hpp"
#include "coll/algorithms/reduce_chain.hpp"
#include "coll/algorithms/reduce_rabenseifner.hpp"
#include "coll/algorithms/reduce_scatter.hpp"
#include "coll/algorithms/scan.hpp"
#include "coll/algorithms/torus_bucket.hpp"
#include "coll/algorithms/torus_trees.hpp"

namespace cow::coll {

template <class... Algorithms>
struct AlgorithmList {};

using AllAlgorithms = AlgorithmList<
    BarrierNodes, BarrierDissemination, BarrierTree,  //
    BcastNodesSmall, BcastNodesLarge, BcastBinomial, BcastScatterDoubling, BcastScatterRing, BcastChain, BcastBine,
    BcastSpanningTrees, BcastTorusTrees,  //
    ReduceNodesSmall, ReduceNodesLarge, ReduceBinomial, ReduceOrdered, ReduceRabenseifner, ReduceOrderedHalving,
    ReduceChain, ReduceBine, ReduceTorusTrees,  //
    AllreduceNodes, AllreduceNodesSplit, AllreduceDoubling, AllreduceRabenseifner, AllreduceRing, AllreduceSwing,
    AllreduceSwingShort, AllreduceDimensionExchange, AllreduceBucket, AllreduceBine,              //
    GatherBinomial, GatherLinear, ScatterBinomial, ScatterLinear, GathervLinear, ScattervLinear,  //
    AllgatherNodes<false>, AllgatherNodes<true>, Allgather<DoublingWay>, AllgatherBruck, Allgather<NeighbourWay>,
    Allgather<RingWay>, Allgather<BucketWay>,                                                                //
    Allgatherv<DoublingWay>, Allgatherv<NeighbourWay>, Allgatherv<RingWay>, Allgatherv<BucketWay>,           //
    AlltoallBruck<2>, AlltoallBruck<4>, AlltoallLinear<Collective::alltoall, EqualTraffic>,                  //
    AlltoallPairwise<Collective::alltoall, EqualTraffic>, AlltoallDimensions,                                //
    AlltoallLinear<Collective::alltoallv, GivenTraffic>, AlltoallPairwise<Collective::alltoallv, GivenTraffic>,  //
    ScanDoubling, ScanChain<Collective::scan>, ExscanDoubling, ScanChain<Collective::exscan>,                //
    ReduceScatterBlock<ScatterHalving>, ReduceScatterBlock<ScatterDoubling>, ReduceScatterBlock<ScatterPairwise>,
    ReduceScatterBlock<ScatterRing>, ReduceScatterBlock<ScatterBucket>,  //
    ReduceScatter<ScatterHalving>, ReduceScatter<ScatterDoubling>, ReduceScatter<ScatterPairwise>,
    ReduceScatter<ScatterRing>, ReduceScatter<ScatterBucket>,
    NeighboursDirect<Collective::neighbor_allgather>, NeighboursDirect<Collective::neighbor_alltoall>>;

}  // namespace cow::coll
