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
  explicit Runner(const Plan& plan) : plan_(plan), nodes_(plan.nodes.data()) {}

  // `copies` of a node, `stride` apart.
  void whole(const PlanNode& node, std::uintptr_t user, MPI_Count copies, MPI_Aint stride, Stream stream) const {
    user = moved(user, node.displacement);
    switch (node.kind) {
      case Kind::block: kernel::strided<Way>(user, stream, 1, 0, copies, stride, node.bytes); return;
      case Kind::loop: {
        const PlanNode& child = nodes_[node.child];
        if (child.kind == Kind::block) {
          kernel::strided<Way>(moved(user, child.displacement), stream, copies, stride, node.count, node.stride,
                               child.bytes);
          return;
        }
        for (MPI_Count i = 0; i < copies; ++i, user = moved(user, stride), stream += node.bytes)
          whole(child, user, node.count, node.stride, stream);
        return;
      }
      case Kind::blocks:
        kernel::equal_blocks<Way>(user, stream, copies, stride, places(node), node.count, node.block_bytes);
        return;
      case Kind::narrow_blocks:
        kernel::equal_blocks<Way>(user, stream, copies, stride, narrow_places(node), node.count, node.block_bytes);
        return;
      case Kind::pieces: kernel::sized_blocks<Way>(user, stream, copies, stride, pieces(node), node.count); return;
      case Kind::parts:
        for (MPI_Count i = 0; i < copies; ++i, user = moved(user, stride), stream += node.bytes)
          whole_parts(node, 0, node.count, user, stream);
        return;
    }
  }

  // Bytes [offset, offset + bytes) of any number of copies of a node, `stride` apart. 0 < bytes.
  void repeated(const PlanNode& node, std::uintptr_t user, MPI_Aint stride, MPI_Count offset, Stream stream,
                MPI_Count bytes) const {
    const MPI_Count first = offset / node.bytes;
    const MPI_Count inside = offset - first * node.bytes;
    user = moved(user, first * stride);
    if (inside != 0) {
      const MPI_Count head = std::min(bytes, node.bytes - inside);
      range(node, user, inside, stream, head);
      stream += head;
      bytes -= head;
      user = moved(user, stride);
    }
    if (bytes >= node.bytes) {
      const MPI_Count copies = bytes / node.bytes;
      whole(node, user, copies, stride, stream);
      stream += copies * node.bytes;
      bytes -= copies * node.bytes;
      user = moved(user, copies * stride);
    }
    if (bytes != 0) range(node, user, 0, stream, bytes);
  }

  // Bytes [offset, offset + bytes) of one node.
  void range(const PlanNode& node, std::uintptr_t user, MPI_Count offset, Stream stream, MPI_Count bytes) const {
    user = moved(user, node.displacement);
    switch (node.kind) {
      case Kind::block: copy(user, offset, stream, bytes); return;
      case Kind::loop: repeated(nodes_[node.child], user, node.stride, offset, stream, bytes); return;
      case Kind::blocks: some_blocks(places(node), node.block_bytes, user, offset, stream, bytes); return;
      case Kind::narrow_blocks: some_blocks(narrow_places(node), node.block_bytes, user, offset, stream, bytes); return;
      case Kind::pieces:
      case Kind::parts: some_pieces(node, user, offset, stream, bytes); return;
    }
  }

 private:
  const MPI_Aint* places(const PlanNode& node) const { return plan_.places.data() + node.first; }
  const std::int32_t* narrow_places(const PlanNode& node) const { return plan_.narrow_places.data() + node.first; }
  const PlanPiece* pieces(const PlanNode& node) const { return plan_.pieces.data() + node.first; }

  static void copy(std::uintptr_t user, MPI_Count offset, Stream stream, MPI_Count bytes) {
    Way::copy(moved(user, offset), stream, static_cast<std::size_t>(bytes));
  }

  template <class Place>
  void some_blocks(const Place* place, MPI_Count block, std::uintptr_t user, MPI_Count offset, Stream stream,
                   MPI_Count bytes) const {
    place += offset / block;
    if (const MPI_Count inside = offset % block; inside != 0) {
      const MPI_Count head = std::min(bytes, block - inside);
      copy(user, *place++ + inside, stream, head);
      stream += head;
      bytes -= head;
    }
    const MPI_Count count = bytes / block;
    kernel::equal_blocks<Way>(user, stream, 1, 0, place, count, block);
    if (const MPI_Count done = count * block; done != bytes) copy(user, place[count], stream + done, bytes - done);
  }

  void some_pieces(const PlanNode& node, std::uintptr_t user, MPI_Count offset, Stream stream, MPI_Count bytes) const {
    const auto starts_behind = [](MPI_Count at, const PlanPiece& p) { return at < p.before; };
    const PlanPiece* list = pieces(node);
    const MPI_Count stop = offset + bytes;
    MPI_Count piece = std::upper_bound(list, list + node.count, offset, starts_behind) - list - 1;
    if (const MPI_Count inside = offset - list[piece].before; inside != 0) {
      const MPI_Count head = std::min(bytes, list[piece + 1].before - offset);
      one_piece(node, piece++, user, inside, stream, head);
      stream += head;
      bytes -= head;
    }
    if (bytes == 0) return;
    // The last piece that begins before the end is whole when the next one begins at the end.
    const MPI_Count end = std::upper_bound(list + piece, list + node.count + 1, stop, starts_behind) - list - 1;
    if (node.kind == Kind::pieces)
      kernel::sized_blocks<Way>(user, stream, 1, 0, list + piece, end - piece);
    else
      whole_parts(node, piece, end - piece, user, stream);
    const MPI_Count done = list[end].before - list[piece].before;
    if (done != bytes) one_piece(node, end, user, 0, stream + done, bytes - done);
  }

  void whole_parts(const PlanNode& node, MPI_Count first, MPI_Count count, std::uintptr_t user, Stream stream) const {
    const PlanPiece* piece = pieces(node) + first;
    const std::uint32_t* child = plan_.part_nodes.data() + node.child + first;
    for (; count > 0; --count, ++piece, ++child) {
      whole(nodes_[*child], moved(user, piece->displacement), 1, 0, stream);
      stream += piece[1].before - piece->before;
    }
  }

  void one_piece(const PlanNode& node, MPI_Count piece, std::uintptr_t user, MPI_Count offset, Stream stream,
                 MPI_Count bytes) const {
    user = moved(user, pieces(node)[piece].displacement);
    if (node.kind == Kind::pieces)
      copy(user, offset, stream, bytes);
    else
      range(nodes_[plan_.part_nodes[node.child + static_cast<std::size_t>(piece)]], user, offset, stream, bytes);
  }

  const Plan& plan_;
  const PlanNode* nodes_;
};

template <class Way>
MPI_Count run(const Datatype& type, std::uintptr_t user, MPI_Count count, MPI_Count offset, typename Way::Stream stream,
              MPI_Count bytes) {
  const MPI_Count total = count * type.size;
  if (offset >= total || bytes <= 0) return 0;
  bytes = std::min(bytes, total - offset);
  if (type.contiguous) {
    Way::copy(moved(user, type.true_lb + offset), stream, static_cast<std::size_t>(bytes));
    return bytes;
  }
  const Runner<Way> runner(*type.plan);
  const PlanNode& root = type.plan->nodes[0];
  // Elements that go on with their own stride are one long loop.
  if (root.kind == Kind::loop && type.extent == root.count * root.stride)
    runner.repeated(type.plan->nodes[root.child], moved(user, root.displacement), root.stride, offset, stream, bytes);
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
