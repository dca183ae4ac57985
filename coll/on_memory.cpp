#include "coll/on_memory.hpp"

#include "coll/board.hpp"

namespace cow::coll {

// Beyond, what is copied from process to process in one go is faster. Measured with 2, 4 and 8 ranks on two processors.
Count most_on_memory(Collective collective, int size, double processors) {
  constexpr Count one_round = Board::most_bytes, many_rounds = 128 * one_round;
  const double ranks_on_one = processors > 0 ? size / processors : 1;
  if (size < 2 || size > most_ranks_on_memory) return -1;
  switch (collective) {
    case Collective::barrier:
      return 0;
    case Collective::bcast:
      if (ranks_on_one >= 4) return many_rounds;  // those on one processor read what is in its cache
      return (size == 2 ? 16 : 4) * one_round;
    case Collective::allreduce:
      if (ranks_on_one >= 2) return ranks_on_one >= 4 ? many_rounds : 8 * one_round;
      return (size == 2 ? 16 : 4) * one_round;
    case Collective::reduce:
      if (ranks_on_one >= 2) return ranks_on_one >= 4 ? many_rounds : 8 * one_round;
      return one_round / 2;  // the root does all the work
    case Collective::gather:
      return ranks_on_one >= 4 ? many_rounds : one_round;
    case Collective::allgather:
      return ranks_on_one >= 2 ? many_rounds : (size == 2 ? 8 : 1) * one_round;
    case Collective::scatter:
    case Collective::alltoall:
      return one_round / size;
    case Collective::scan:
    case Collective::exscan:
    case Collective::reduce_scatter:
    case Collective::reduce_scatter_block:
      return one_round;
    default:
      return -1;
  }
}

}  // namespace cow::coll
