// The packed stream as pieces of memory: for transports that gather or scatter by themselves.
#include <algorithm>

#include "base/address.hpp"
#include "objects/datatype.hpp"
#include "objects/plan.hpp"

namespace cow {
namespace {

using Kind = PlanNode::Kind;

class Collector {
 public:
  Collector(const Plan& plan, MemoryRun* runs, int max_runs) : plan_(plan), runs_(runs), max_runs_(max_runs) {}

  // Bytes [offset, offset + bytes) of copies of a node, `stride` apart; false when the room is used up.
  bool repeated(const PlanNode& node, std::uintptr_t at, MPI_Aint stride, MPI_Count offset, MPI_Count bytes) {
    const MPI_Count first = offset / node.bytes;
    offset -= first * node.bytes;
    at = moved(at, first * stride);
    for (; bytes > 0; at = moved(at, stride), offset = 0) {
      const MPI_Count part = std::min(bytes, node.bytes - offset);
      if (!range(node, at, offset, part)) return false;
      bytes -= part;
    }
    return true;
  }

  int filled() const { return filled_; }
  MPI_Count covered() const { return covered_; }

 private:
  bool range(const PlanNode& node, std::uintptr_t at, MPI_Count offset, MPI_Count bytes) {
    at = moved(at, node.displacement);
    switch (node.kind) {
      case Kind::block: return add(moved(at, offset), bytes);
      case Kind::loop: return repeated(plan_.nodes[node.child], at, node.stride, offset, bytes);
      case Kind::blocks: return some_blocks(plan_.places.data() + node.first, node.block_bytes, at, offset, bytes);
      case Kind::narrow_blocks:
        return some_blocks(plan_.narrow_places.data() + node.first, node.block_bytes, at, offset, bytes);
      case Kind::pieces:
      case Kind::parts: return some_pieces(node, at, offset, bytes);
    }
    return true;
  }

  template <class Place>
  bool some_blocks(const Place* place, MPI_Count block, std::uintptr_t at, MPI_Count offset, MPI_Count bytes) {
    place += offset / block;
    for (offset %= block; bytes > 0; ++place, offset = 0) {
      const MPI_Count part = std::min(bytes, block - offset);
      if (!add(moved(at, *place + offset), part)) return false;
      bytes -= part;
    }
    return true;
  }

  bool some_pieces(const PlanNode& node, std::uintptr_t at, MPI_Count offset, MPI_Count bytes) {
    const PlanPiece* begin = plan_.pieces.data() + node.first;
    const PlanPiece* piece = std::upper_bound(begin, begin + node.count, offset,
                                              [](MPI_Count o, const PlanPiece& p) { return o < p.before; }) -
                             1;
    offset -= piece->before;
    for (; bytes > 0; ++piece, offset = 0) {
      const MPI_Count part = std::min(bytes, piece[1].before - piece->before - offset);
      const std::uintptr_t place = moved(at, piece->displacement);
      if (!(node.kind == Kind::pieces ? add(moved(place, offset), part)
                                      : range(child(node, piece - begin), place, offset, part)))
        return false;
      bytes -= part;
    }
    return true;
  }

  const PlanNode& child(const PlanNode& node, std::ptrdiff_t piece) const {
    return plan_.nodes[plan_.part_nodes[node.child + static_cast<std::size_t>(piece)]];
  }

  bool add(std::uintptr_t address, MPI_Count bytes) {
    if (filled_ > 0 && runs_[filled_ - 1].address + runs_[filled_ - 1].bytes == address) {
      runs_[filled_ - 1].bytes += static_cast<std::size_t>(bytes);
    } else {
      if (filled_ == max_runs_) return false;
      runs_[filled_++] = {address, static_cast<std::size_t>(bytes)};
    }
    covered_ += bytes;
    return true;
  }

  const Plan& plan_;
  MemoryRun* runs_;
  int max_runs_;
  int filled_ = 0;
  MPI_Count covered_ = 0;
};

}  // namespace

int memory_runs(const Datatype& type, const void* buffer, MPI_Count count, MPI_Count offset, MPI_Count bytes,
                MemoryRun* runs, int max_runs, MPI_Count* covered) {
  const MPI_Count total = count * type.size;
  *covered = 0;
  if (offset >= total || bytes <= 0 || max_runs == 0) return 0;
  bytes = std::min(bytes, total - offset);
  const auto at = reinterpret_cast<std::uintptr_t>(buffer);
  if (type.contiguous) {
    runs[0] = {moved(at, type.true_lb + offset), static_cast<std::size_t>(bytes)};
    *covered = bytes;
    return 1;
  }
  Collector collector(*type.plan, runs, max_runs);
  collector.repeated(type.plan->nodes[0], at, type.extent, offset, bytes);
  *covered = collector.covered();
  return collector.filled();
}

}  // namespace cow
