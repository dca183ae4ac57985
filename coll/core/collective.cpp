#include "coll/core/collective.hpp"

namespace cow::coll {
namespace {

constexpr const char* collective_names[collectives] = {"barrier",
                                                       "bcast",
                                                       "reduce",
                                                       "allreduce",
                                                       "gather",
                                                       "scatter",
                                                       "gatherv",
                                                       "scatterv",
                                                       "allgather",
                                                       "allgatherv",
                                                       "alltoall",
                                                       "alltoallv",
                                                       "scan",
                                                       "exscan",
                                                       "reduce_scatter_block",
                                                       "reduce_scatter",
                                                       "neighbor_allgather",
                                                       "neighbor_alltoall"};

}  // namespace

bool reduces(Collective c) {
  return c == Collective::reduce || c == Collective::allreduce || c == Collective::scan || c == Collective::exscan ||
         c == Collective::reduce_scatter || c == Collective::reduce_scatter_block;
}

const char* name_of(Collective collective) { return collective_names[static_cast<int>(collective)]; }

}  // namespace cow::coll
