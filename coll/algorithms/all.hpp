// Every algorithm, once. The order within a collective matters only between equal predicted times: the first wins (so
// those in two levels come first: plain trees are as good only where root and places happen to suit them).
#pragma once

#include "coll/algorithms/allgather/allgather.hpp"
#include "coll/algorithms/allreduce/bine.hpp"
#include "coll/algorithms/allreduce/bucket.hpp"
#include "coll/algorithms/allreduce/dimension_exchange.hpp"
#include "coll/algorithms/allreduce/doubling.hpp"
#include "coll/algorithms/allreduce/rabenseifner.hpp"
#include "coll/algorithms/allreduce/ring.hpp"
#include "coll/algorithms/allreduce/swing.hpp"
#include "coll/algorithms/alltoall/bruck.hpp"
#include "coll/algorithms/alltoall/dimensions.hpp"
#include "coll/algorithms/alltoall/direct.hpp"
#include "coll/algorithms/barrier/dissemination.hpp"
#include "coll/algorithms/barrier/tree.hpp"
#include "coll/algorithms/bcast/binomial.hpp"
#include "coll/algorithms/bcast/chain.hpp"
#include "coll/algorithms/bcast/scatter_allgather.hpp"
#include "coll/algorithms/bcast/spanning_trees.hpp"
#include "coll/algorithms/gather/binomial.hpp"
#include "coll/algorithms/gather/linear.hpp"
#include "coll/algorithms/hierarchical/all.hpp"
#include "coll/algorithms/hierarchical/gather_scatter.hpp"
#include "coll/algorithms/hierarchical/rooted.hpp"
#include "coll/algorithms/hierarchical/scan.hpp"
#include "coll/algorithms/neighborhood/direct.hpp"
#include "coll/algorithms/parts/bine.hpp"
#include "coll/algorithms/reduce/binomial.hpp"
#include "coll/algorithms/reduce/chain.hpp"
#include "coll/algorithms/reduce/rabenseifner.hpp"
#include "coll/algorithms/reduce_scatter/reduce_scatter.hpp"
#include "coll/algorithms/scan/scan.hpp"
#include "coll/algorithms/torus/buckets.hpp"
#include "coll/algorithms/torus/trees.hpp"

namespace cow::coll {

template <class... Algorithms>
struct AlgorithmList {};

using AllAlgorithms = AlgorithmList<
    HierarchicalBarrier, BarrierDissemination, BarrierTree,  //
    HierarchicalBcastSmall, HierarchicalBcastLarge, BcastBinomial, BcastScatterDoubling, BcastScatterRing, BcastChain,
    BcastBine, BcastSpanningTrees, BcastTorusTrees,  //
    HierarchicalReduceSmall, HierarchicalReduceLarge, ReduceBinomial, ReduceOrdered, ReduceRabenseifner,
    ReduceOrderedHalving, ReduceChain, ReduceBine, ReduceTorusTrees,  //
    HierarchicalAllreduce, HierarchicalAllreduceSplit, AllreduceDoubling, AllreduceRabenseifner, AllreduceRing,
    AllreduceSwing, AllreduceSwingShort, AllreduceDimensionExchange, AllreduceBucket, AllreduceBine,  //
    HierarchicalGather, GatherBinomial, GatherLinear, HierarchicalScatter, ScatterBinomial, ScatterLinear,
    GathervLinear, ScattervLinear,  //
    HierarchicalAllgather<false>, HierarchicalAllgather<true>, Allgather<DoublingWay>, AllgatherBruck,
    Allgather<NeighbourWay>, Allgather<RingWay>, Allgather<BucketWay>,                                           //
    Allgatherv<DoublingWay>, Allgatherv<NeighbourWay>, Allgatherv<RingWay>, Allgatherv<BucketWay>,               //
    AlltoallBruck<2>, AlltoallBruck<4>, AlltoallLinear<Collective::alltoall, EqualTraffic>,                      //
    AlltoallPairwise<Collective::alltoall, EqualTraffic>, AlltoallDimensions,                                    //
    AlltoallLinear<Collective::alltoallv, GivenTraffic>, AlltoallPairwise<Collective::alltoallv, GivenTraffic>,  //
    HierarchicalScan<true>, ScanDoubling, ScanChain<Collective::scan>, HierarchicalScan<false>, ExscanDoubling,
    ScanChain<Collective::exscan>,  //
    ReduceScatterBlock<ScatterHalving>, ReduceScatterBlock<ScatterDoubling>, ReduceScatterBlock<ScatterPairwise>,
    ReduceScatterBlock<ScatterRing>, ReduceScatterBlock<ScatterBucket>,  //
    ReduceScatter<ScatterHalving>, ReduceScatter<ScatterDoubling>, ReduceScatter<ScatterPairwise>,
    ReduceScatter<ScatterRing>, ReduceScatter<ScatterBucket>, NeighboursDirect<Collective::neighbor_allgather>,
    NeighboursDirect<Collective::neighbor_alltoall>>;

}  // namespace cow::coll
