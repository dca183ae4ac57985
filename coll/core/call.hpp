// A collective call made ready: its arguments in the form of the algorithms, and what has to be packed before and
// unpacked after, where a buffer is not one run of bytes.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "coll/core/collective.hpp"
#include "objects/comm.hpp"
#include "objects/datatype.hpp"
#include "objects/op.hpp"

namespace cow::coll {

// A piece of a user's buffer, and where its bytes lie in scratch.
struct Piece {
  Address user;
  Count count;
  Datatype* type;
  Count at;  // bytes from the start of the scratch
};

// What most calls have no need of.
struct Lists {
  std::vector<Piece> in;                                        // packed before
  std::vector<Piece> out;                                       // unpacked after
  std::vector<Count> counts, displs, send_counts, send_displs;  // what args points to
  std::vector<Datatype*> types, send_types;
  void clear();
};

// Lists are kept from one call to the next, so that a small collective allocates nothing. Under the progress lock.
Lists* take_lists();
struct GiveBack {
  void operator()(Lists* lists) const;
};

struct Operation {
  Operation() = default;
  Operation(const Operation&) = delete;  // args points into the lists
  Operation& operator=(const Operation&) = delete;

  Collective collective = Collective::barrier;
  Comm* comm = nullptr;
  Unit unit;
  Args args;
  Count measure = 0;
  Count in_bytes = 0;       // scratch that stands for the send buffer; 0: the buffer itself is used
  Count out_bytes = 0;      // scratch that stands for the receive buffer
  Count recv_in_send = -1;  // 0 or more: the result is that byte of the send scratch (MPI_Scatter in place)

  Lists& lists() {
    if (!lists_) lists_.reset(take_lists());
    return *lists_;
  }
  const Lists* has_lists() const { return lists_.get(); }  // null: none, all are empty
  // The user's buffers are what the algorithm works on.
  bool is_plain() const { return in_bytes == 0 && out_bytes == 0 && recv_in_send < 0; }

 private:
  std::unique_ptr<Lists, GiveBack> lists_;
};

// The whole of a collective on the verbs: pack, the algorithm, unpack.
template <class V, class Algorithm>
void perform(V& v, const Operation& operation, Algorithm algorithm) {
  if (operation.is_plain()) return algorithm(v, operation.args);
  static const Lists none;
  const Lists& lists = operation.has_lists() ? *operation.has_lists() : none;
  Args args = operation.args;
  if (operation.in_bytes > 0) {
    args.send = v.scratch(operation.in_bytes);
    for (const Piece& piece : lists.in)
      v.transfer(v.at(args.send, piece.at), piece.count * piece.type->size, nullptr, piece.user, piece.count,
                 piece.type);
  }
  if (operation.out_bytes > 0) args.recv = v.scratch(operation.out_bytes);
  if (operation.recv_in_send >= 0) args.recv = v.at(args.send, operation.recv_in_send);
  algorithm(v, args);
  for (const Piece& piece : lists.out)
    v.transfer(piece.user, piece.count, piece.type, v.at(args.recv, piece.at), piece.count * piece.type->size, nullptr);
}

// Whether the memory that ranks of a node share can be used for it: the same answer at every rank.
inline bool can_use_memory(const Operation& o) {
  if (o.measure == 0 && !has_no_measure(o.collective)) return false;  // there is nothing to wait for
  return !o.unit.op || o.unit.combine;
}
// The measure as it lies in memory; of blocks of any length that all know, the longest.
inline Count measure_in_memory(const Operation& o) {
  if (o.collective == Collective::allgatherv) return *std::max_element(o.args.counts, o.args.counts + o.comm->size());
  if (o.unit.extent == o.unit.size) return o.measure;
  return o.measure / std::max<Count>(o.unit.size, 1) * o.unit.extent;
}

}  // namespace cow::coll
