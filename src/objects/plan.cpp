// From a type map to a copy plan: shapes are built bottom-up in normal form, then written out as flat arrays.
#include "objects/plan.hpp"

#include <memory>
#include <numeric>
#include <unordered_map>

#include "objects/typemap.hpp"

namespace cow {
namespace {

// A shape that is a list has Kind::parts until it is written out.
using Kind = PlanNode::Kind;

struct Shape;
using ShapePointer = std::shared_ptr<const Shape>;

struct Piece {
  MPI_Aint displacement;
  MPI_Count bytes;
  ShapePointer shape;  // null: a block
};

struct Shape {
  Kind kind = Kind::block;
  MPI_Aint displacement = 0;
  MPI_Count bytes = 0;
  MPI_Count count = 0;
  MPI_Aint stride = 0;
  ShapePointer child;
  std::vector<Piece> pieces;
  bool only_blocks = false;
};

// A child of so few pieces is written out in its parent: a flat list runs faster than a call per child.
constexpr std::size_t flatten_pieces = 16;

ShapePointer with_displacement(const ShapePointer& shape, MPI_Aint displacement) {
  if (shape->displacement == displacement) return shape;
  auto moved = std::make_shared<Shape>(*shape);
  moved->displacement = displacement;
  return moved;
}

bool same(const Shape& a, const Shape& b) {
  if (&a == &b) return true;
  if (a.kind != b.kind || a.displacement != b.displacement || a.bytes != b.bytes || a.count != b.count ||
      a.stride != b.stride || a.pieces.size() != b.pieces.size() || !a.pieces.empty())
    return false;
  return a.child == b.child || (a.child && b.child && same(*a.child, *b.child));
}

ShapePointer make_loop(MPI_Count count, MPI_Aint stride, const ShapePointer& child) {
  if (count == 1 || child->bytes == 0) return child;
  auto loop = std::make_shared<Shape>();
  loop->displacement = child->displacement;
  loop->bytes = count * child->bytes;
  if (child->kind == Kind::block && stride == child->bytes) return loop;
  loop->kind = Kind::loop;
  if (child->kind == Kind::loop && stride == child->count * child->stride) {
    loop->count = count * child->count;
    loop->stride = child->stride;
    loop->child = child->child;
  } else {
    loop->count = count;
    loop->stride = stride;
    loop->child = with_displacement(child, 0);
  }
  return loop;
}

class PieceList {
 public:
  void add(MPI_Aint displacement, const ShapePointer& shape) {
    if (shape->bytes == 0) return;
    displacement += shape->displacement;
    if (shape->kind == Kind::block) {
      add_block(displacement, shape->bytes);
    } else if (shape->only_blocks && shape->pieces.size() <= flatten_pieces) {
      for (const Piece& piece : shape->pieces) add_block(displacement + piece.displacement, piece.bytes);
    } else if (shape->kind == Kind::loop && shape->child->kind == Kind::block && shape->count <= 8) {
      for (MPI_Count i = 0; i < shape->count; ++i) add_block(displacement + i * shape->stride, shape->child->bytes);
    } else {
      pieces_.push_back({displacement, shape->bytes, with_displacement(shape, 0)});
      only_blocks_ = false;
    }
  }

  ShapePointer finish() {
    auto shape = std::make_shared<Shape>();
    if (pieces_.empty()) return shape;
    shape->displacement = pieces_[0].displacement;
    if (pieces_.size() == 1 && pieces_[0].shape) return with_displacement(pieces_[0].shape, shape->displacement);
    shape->bytes = pieces_[0].bytes;
    if (pieces_.size() == 1) return shape;
    if (regular()) {
      ShapePointer child = pieces_[0].shape;
      if (!child) {
        auto block = std::make_shared<Shape>();
        block->bytes = pieces_[0].bytes;
        child = block;
      }
      return with_displacement(
          make_loop(static_cast<MPI_Count>(pieces_.size()), pieces_[1].displacement - pieces_[0].displacement, child),
          shape->displacement);
    }
    shape->bytes = 0;
    for (const Piece& piece : pieces_) shape->bytes += piece.bytes;
    shape->displacement = 0;
    shape->kind = Kind::parts;
    shape->only_blocks = only_blocks_;
    shape->pieces = std::move(pieces_);
    return shape;
  }

 private:
  void add_block(MPI_Aint displacement, MPI_Count bytes) {
    if (!pieces_.empty() && !pieces_.back().shape && pieces_.back().displacement + pieces_.back().bytes == displacement)
      pieces_.back().bytes += bytes;
    else
      pieces_.push_back({displacement, bytes, nullptr});
  }

  // Whether the pieces are copies of one thing, equally spaced.
  bool regular() const {
    const MPI_Aint step = pieces_[1].displacement - pieces_[0].displacement;
    for (std::size_t i = 1; i < pieces_.size(); ++i) {
      const Piece &a = pieces_[i - 1], &b = pieces_[i];
      if (b.displacement - a.displacement != step || a.bytes != b.bytes || !a.shape != !b.shape) return false;
      if (a.shape && !same(*a.shape, *b.shape)) return false;
    }
    return true;
  }

  std::vector<Piece> pieces_;
  bool only_blocks_ = true;
};

// Maps share children, so each is looked at once.
class ShapeMaker {
 public:
  ShapePointer make(const TypeMap& map) {
    if (map.kind == TypeMap::Kind::leaf) {
      auto block = std::make_shared<Shape>();
      block->bytes = map.bytes;
      return block;
    }
    if (const auto known = made_.find(&map); known != made_.end()) return known->second;
    ShapePointer shape;
    if (map.kind == TypeMap::Kind::loop) {
      shape = make_loop(map.count, map.stride, make(*map.child));
    } else {
      PieceList list;
      for (const TypeMap::Part& part : map.parts)
        list.add(part.displacement, make_loop(part.count, part.stride, make(*part.child)));
      shape = list.finish();
    }
    return made_.emplace(&map, shape).first->second;
  }

 private:
  std::unordered_map<const TypeMap*, ShapePointer> made_;
};

class Writer {
 public:
  explicit Writer(Plan& plan) : plan_(plan) {}

  std::uint32_t write(const Shape& shape) {
    if (const auto known = written_.find(&shape); known != written_.end()) return known->second;
    const auto index = static_cast<std::uint32_t>(plan_.nodes.size());
    written_.emplace(&shape, index);
    plan_.nodes.emplace_back();
    PlanNode node;
    node.kind = shape.kind;
    node.displacement = shape.displacement;
    node.bytes = shape.bytes;
    node.count = shape.count;
    node.stride = shape.stride;
    if (shape.kind == Kind::loop) node.child = write(*shape.child);
    if (!shape.pieces.empty()) write_pieces(shape, node);
    plan_.nodes[index] = node;
    return index;
  }

 private:
  void write_pieces(const Shape& shape, PlanNode& node) {
    node.count = static_cast<MPI_Count>(shape.pieces.size());
    if (!shape.only_blocks) return write_parts(shape, node);
    node.block_bytes = common_block(shape);
    if (node.block_bytes == 0) return write_sized(shape, node);
    node.count = shape.bytes / node.block_bytes;
    const auto is_narrow = [](MPI_Aint at) { return at == static_cast<std::int32_t>(at); };
    bool narrow = true;
    for (const Piece& piece : shape.pieces)
      narrow = narrow && is_narrow(piece.displacement) && is_narrow(piece.displacement + piece.bytes);
    node.kind = narrow ? Kind::narrow_blocks : Kind::blocks;
    node.first = static_cast<MPI_Count>(narrow ? plan_.narrow_places.size() : plan_.places.size());
    for (const Piece& piece : shape.pieces)
      for (MPI_Count at = 0; at < piece.bytes; at += node.block_bytes) {
        if (narrow)
          plan_.narrow_places.push_back(static_cast<std::int32_t>(piece.displacement + at));
        else
          plan_.places.push_back(piece.displacement + at);
      }
  }

  // The size of blocks that all pieces can be cut into without much more of them; 0 when there is none. A loop over
  // blocks of one size beats one that looks at sizes, which the processor cannot guess.
  static MPI_Count common_block(const Shape& shape) {
    MPI_Count common = 0;
    for (const Piece& piece : shape.pieces) common = std::gcd(common, piece.bytes);
    const auto pieces = static_cast<MPI_Count>(shape.pieces.size());
    return shape.bytes / common <= 3 * pieces ? common : 0;
  }

  void write_sized(const Shape& shape, PlanNode& node) {
    node.kind = Kind::pieces;
    node.block_bytes = 0;
    node.first = static_cast<MPI_Count>(plan_.pieces.size());
    MPI_Count before = 0;
    for (const Piece& piece : shape.pieces) {
      plan_.pieces.push_back({piece.displacement, before});
      before += piece.bytes;
    }
    plan_.pieces.push_back({0, before});
  }

  void write_parts(const Shape& shape, PlanNode& node) {
    write_sized(shape, node);
    node.kind = Kind::parts;
    node.child = static_cast<std::uint32_t>(plan_.part_nodes.size());
    plan_.part_nodes.resize(plan_.part_nodes.size() + shape.pieces.size());
    for (std::size_t i = 0; i < shape.pieces.size(); ++i) {
      const Piece& piece = shape.pieces[i];
      const std::uint32_t written = piece.shape ? write(*piece.shape) : write_block(piece.bytes);
      plan_.part_nodes[node.child + i] = written;
    }
  }

  std::uint32_t write_block(MPI_Count bytes) {
    const auto [known, fresh] = blocks_.emplace(bytes, static_cast<std::uint32_t>(plan_.nodes.size()));
    if (fresh) {
      PlanNode node;
      node.bytes = bytes;
      plan_.nodes.push_back(node);
    }
    return known->second;
  }

  Plan& plan_;
  std::unordered_map<const Shape*, std::uint32_t> written_;
  std::unordered_map<MPI_Count, std::uint32_t> blocks_;
};

}  // namespace

Plan make_plan(const TypeMap& map) {
  Plan plan;
  Writer(plan).write(*ShapeMaker().make(map));
  plan.nodes.shrink_to_fit();
  plan.places.shrink_to_fit();
  plan.narrow_places.shrink_to_fit();
  plan.pieces.shrink_to_fit();
  return plan;
}

}  // namespace cow
