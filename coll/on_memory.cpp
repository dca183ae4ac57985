#include "coll/on_memory.hpp"

#include <algorithm>

#include "coll/board.hpp"

namespace cow::coll {

// What else could be done is a copy from process to process by the kernel, in one go. Measured with 2, 4 and 8 ranks on two
// processors.
Count most_on_memory(Collective collective, int size, double processors) {
  constexpr Count one_round = Board::most_bytes;
  const Count one_hall = size <= most_ranks_with_halls ? static_cast<Count>(Board::hall_bytes) : Count{Board::small_bytes};
  const Count any = size <= most_ranks_with_halls ? any_size : one_round;
  // A root that copies everything is as fast as many who copy at once only while they are not many.
  const bool few = std::min<double>(size, processors > 0 ? processors : size) <= 4;
  if (size < 2 || size > most_ranks_on_memory) return -1;
  switch (collective) {
    case Collective::barrier:
      return 0;
    case Collective::bcast:
    case Collective::reduce:
    case Collective::allreduce:
    case Collective::allgather:
    case Collective::scan:
    case Collective::exscan:
    case Collective::reduce_scatter:
    case Collective::reduce_scatter_block:
    case Collective::allgatherv:
      return any;
    case Collective::alltoall:
    case Collective::scatter:  // the blocks of all are given together
      return size <= most_ranks_with_halls ? any_size : one_round / size;
    case Collective::gather:
      return few ? any : one_round;
    case Collective::gatherv:
      return few ? one_hall : one_round;
    case Collective::scatterv:
    case Collective::alltoallv:
      return one_hall;
    default:
      return -1;
  }
}

Count most_of_parts(int largest) {
  if (largest < 2 || largest > most_ranks_on_memory) return -1;
  return largest <= most_ranks_with_halls ? any_size : Count{Board::most_bytes};
}

}  // namespace cow::coll
