#include "coll/on_memory.hpp"

#include <algorithm>

#include "coll/board.hpp"

namespace cow::coll {

// What else could be done is a copy from process to process by the kernel, in one go. Measured with 2, 4 and 8 ranks on two
// processors.
OnMemory on_memory(Collective collective, int size, double processors) {
  constexpr Count one_round = Board::most_bytes, kib = 1024, any = OnMemory::never;
  const bool crowded = processors > 0 && size > processors;
  // A root that copies everything is as fast as many who copy at once only while they are not many.
  const bool few = std::min<double>(size, processors > 0 ? processors : size) <= 4;
  if (size < 2 || size > most_ranks_on_memory) return {};
  switch (collective) {
    case Collective::barrier:
      return {0};
    case Collective::allreduce:
    case Collective::scan:
    case Collective::exscan:
      return {any};
    case Collective::bcast:
      return crowded ? OnMemory{any} : OnMemory{one_round, 384 * kib};
    case Collective::reduce:
      return crowded ? OnMemory{any} : OnMemory{one_round / 2, 384 * kib};
    case Collective::allgather:
      return crowded ? OnMemory{any} : OnMemory{one_round, 192 * kib};
    case Collective::gather:
      return crowded && few ? OnMemory{any} : OnMemory{one_round, few ? 384 * kib : OnMemory::never};
    case Collective::alltoall:
      return {one_round / size, (crowded ? 768 : 192) * kib};
    case Collective::scatter:
      return {one_round / size};
    case Collective::reduce_scatter:
    case Collective::reduce_scatter_block:
      return {one_round};
    default:
      return {};
  }
}

}  // namespace cow::coll
