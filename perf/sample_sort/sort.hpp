// Parallel sample sort: each rank sorts its part, regular samples of all parts give the borders between the ranks, every
// line moves to the rank whose range it falls in, and each rank merges what it got.
#pragma once

#include <mpi.h>

#include "sample_sort/lines.hpp"

namespace sample_sort {

// Rank 0's text, spread over the ranks in whole lines (Bcast, Scatterv).
Lines scatter_lines(const std::string& text, MPI_Comm comm);

// All ranks' lines sorted: rank r ends with the r-th range (Allgather, Allgatherv, Bcast, Alltoall, Alltoallv).
Lines sort_lines(const Lines& lines, MPI_Comm comm);

// The ranges one after the other, on rank 0 (Gather for the sizes; Gatherv, or Send and Recv when `by_messages`).
std::string gather_lines(const Lines& lines, bool by_messages, MPI_Comm comm);

}  // namespace sample_sort
