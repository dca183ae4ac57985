// Running copy plans: all of a node's bytes with the fast loops, or a part of them that starts and stops at any byte.
#include <algorithm>

#include "objects/copy_kernels.hpp"
#include "objects/datatype.hpp"
#include "objects/plan.hpp"

namespace cow {
namespace {

using Kind = PlanNode::Kind;

template <class Way>
class Runner {
 public:
  using Stream = typename Way::Stream;
  explicit Runner(const Plan& plan) : nodes_(plan.nodes.data()), pieces_(plan.pieces.data()) {}

  // `copies` of a node, `stride` apart.
  void whole(const PlanNode& node, std::uintptr_t user, MPI_Count copies, MPI_Aint stride, Stream stream) const {
    user += node.displacement;
    const PlanPiece* pieces = pieces_ + node.first;
    switch (node.kind) {
      case Kind::block:
        kernel::strided<Way>(user, stream, 1, 0, copies, stride, node.bytes);
        return;
      case Kind::loop: {
        const PlanNode& child = nodes_[node.child];
        if (child.kind == Kind::block) {
          kernel::strided<Way>(user + child.displacement, stream, copies, stride, node.count, node.stride, child.bytes);
          return;
        }
        for (MPI_Count i = 0; i < copies; ++i, user += stride, stream += node.bytes)
          whole(child, user, node.count, node.stride, stream);
        return;
      }
      case Kind::blocks:
        if (node.block_bytes != 0)
          kernel::equal_pieces<Way>(user, stream, copies, stride, pieces, node.count, node.block_bytes);
        else
          kernel::pieces_of_any_size<Way>(user, stream, copies, stride, pieces, node.count);
        return;
      case Kind::parts:
        for (MPI_Count i = 0; i < copies; ++i, user += stride)
          for (MPI_Count j = 0; j < node.count; stream += pieces[j].bytes, ++j)
            whole(nodes_[pieces[j].node], user + pieces[j].displacement, 1, 0, stream);
        return;
    }
  }

  // Bytes [offset, offset + bytes) of any number of copies of a node, `stride` apart. 0 < bytes.
  void repeated(const PlanNode& node, std::uintptr_t user, MPI_Aint stride, MPI_Count offset, Stream stream,
                MPI_Count bytes) const {
    const MPI_Count first = offset / node.bytes;
    const MPI_Count inside = offset - first * node.bytes;
    user += first * stride;
    if (inside != 0) {
      const MPI_Count head = std::min(bytes, node.bytes - inside);
      range(node, user, inside, stream, head);
      stream += head;
      bytes -= head;
      user += stride;
    }
    if (bytes >= node.bytes) {
      const MPI_Count copies = bytes / node.bytes;
      whole(node, user, copies, stride, stream);
      stream += copies * node.bytes;
      bytes -= copies * node.bytes;
      user += copies * stride;
    }
    if (bytes != 0) range(node, user, 0, stream, bytes);
  }

  // Bytes [offset, offset + bytes) of one node.
  void range(const PlanNode& node, std::uintptr_t user, MPI_Count offset, Stream stream, MPI_Count bytes) const {
    user += node.displacement;
    switch (node.kind) {
      case Kind::block:
        Way::copy(user + offset, stream, bytes);
        return;
      case Kind::loop:
        repeated(nodes_[node.child], user, node.stride, offset, stream, bytes);
        return;
      case Kind::blocks:
      case Kind::parts:
        some_pieces(node, user, offset, stream, bytes);
        return;
    }
  }

 private:
  void some_pieces(const PlanNode& node, std::uintptr_t user, MPI_Count offset, Stream stream, MPI_Count bytes) const {
    const PlanPiece* begin = pieces_ + node.first;
    const PlanPiece* end = begin + node.count;
    const PlanPiece* piece;
    if (node.block_bytes != 0)
      piece = begin + offset / node.block_bytes;
    else
      piece = std::upper_bound(begin, end, offset, [](MPI_Count o, const PlanPiece& p) { return o < p.before; }) - 1;
    MPI_Count inside = offset - piece->before;
    if (inside != 0) {
      const MPI_Count head = std::min(bytes, piece->bytes - inside);
      one_piece(node, *piece++, user, inside, stream, head);
      stream += head;
      bytes -= head;
    }
    if (bytes == 0) return;
    // Whole pieces, as many as fit: the first that does not ends beyond stop.
    const MPI_Count stop = piece->before + bytes;
    const PlanPiece* last =
        node.block_bytes != 0
            ? piece + bytes / node.block_bytes
            : std::upper_bound(piece, end, stop, [](MPI_Count o, const PlanPiece& p) { return o < p.before + p.bytes; });
    whole_pieces(node, piece, last - piece, user, stream);
    const MPI_Count done = last == end ? bytes : last->before - piece->before;
    if (done != bytes) one_piece(node, *last, user, 0, stream + done, bytes - done);
  }

  void whole_pieces(const PlanNode& node, const PlanPiece* piece, MPI_Count count, std::uintptr_t user,
                    Stream stream) const {
    if (node.block_bytes != 0)
      return kernel::equal_pieces<Way>(user, stream, 1, 0, piece, count, node.block_bytes);
    if (node.kind == Kind::blocks) return kernel::pieces_of_any_size<Way>(user, stream, 1, 0, piece, count);
    for (; count > 0; stream += piece->bytes, ++piece, --count)
      whole(nodes_[piece->node], user + piece->displacement, 1, 0, stream);
  }

  void one_piece(const PlanNode& node, const PlanPiece& piece, std::uintptr_t user, MPI_Count offset, Stream stream,
                 MPI_Count bytes) const {
    if (node.kind == Kind::blocks)
      Way::copy(user + piece.displacement + offset, stream, bytes);
    else
      range(nodes_[piece.node], user + piece.displacement, offset, stream, bytes);
  }

  const PlanNode* nodes_;
  const PlanPiece* pieces_;
};

template <class Way>
MPI_Count run(const Datatype& type, std::uintptr_t user, MPI_Count count, MPI_Count offset,
              typename Way::Stream stream, MPI_Count bytes) {
  const MPI_Count total = count * type.size;
  if (offset >= total || bytes <= 0) return 0;
  bytes = std::min(bytes, total - offset);
  if (type.contiguous) {
    Way::copy(user + type.true_lb + offset, stream, bytes);
    return bytes;
  }
  const Runner<Way> runner(*type.plan);
  const PlanNode& root = type.plan->nodes[0];
  // Elements that go on with their own stride are one long loop.
  if (root.kind == Kind::loop && type.extent == root.count * root.stride)
    runner.repeated(type.plan->nodes[root.child], user + root.displacement, root.stride, offset, stream, bytes);
  else
    runner.repeated(root, user, type.extent, offset, stream, bytes);
  return bytes;
}

}  // namespace

MPI_Count pack(const Datatype& type, const void* buffer, MPI_Count count, MPI_Count offset, void* out,
               MPI_Count bytes) {
  return run<kernel::ToStream>(type, reinterpret_cast<std::uintptr_t>(buffer), count, offset, static_cast<char*>(out),
                               bytes);
}

MPI_Count unpack(const Datatype& type, void* buffer, MPI_Count count, MPI_Count offset, const void* in,
                 MPI_Count bytes) {
  return run<kernel::FromStream>(type, reinterpret_cast<std::uintptr_t>(buffer), count, offset,
                                 static_cast<const char*>(in), bytes);
}

}  // namespace cow
