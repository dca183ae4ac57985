// The constructors that lay copies of a type in memory one by one: all but subarray and darray.
#include "objects/constructors.hpp"

#include <algorithm>

#include "objects/plan.hpp"
#include "objects/typemap.hpp"

namespace cow {
namespace {

Error too_far() { return fail(ErrorClass::value_too_large, "a displacement of the datatype is beyond 2^63 - 1 bytes"); }

Error scale(MPI_Count elements, const Datatype& old, MPI_Aint& bytes) {
  if (__builtin_mul_overflow(elements, old.extent, &bytes)) return too_far();
  return success;
}

// The bounds of a new type: those of parts whose bounds were set, if there are any, else of the data, rounded up to
// the alignment of the elements. By the standard's formula (section 5.1.7) it is the type map that counts, and what pads a
// part to its own extent is not in it: a last part whose padding ends beyond the data, rounded up once, adds nothing.
class Bounds {
 public:
  Error add(const Datatype& old, MPI_Aint displacement, MPI_Count copies) {
    if (copies == 0) return success;
    if (old.map->elements > 0 || old.marked) alignment_ = std::max(alignment_, old.alignment);
    if (!old.marked) return success;
    MPI_Aint last, low, high;
    if (__builtin_mul_overflow(copies - 1, old.extent, &last) ||
        __builtin_add_overflow(displacement + old.lb, std::min<MPI_Aint>(0, last), &low) ||
        __builtin_add_overflow(displacement + old.ub(), std::max<MPI_Aint>(0, last), &high))
      return too_far();
    lb_ = marked_ ? std::min(lb_, low) : low;
    ub_ = marked_ ? std::max(ub_, high) : high;
    marked_ = true;
    return success;
  }

  void apply(Datatype& type) const {
    type.marked = marked_;
    type.alignment = alignment_;
    if (marked_) {
      type.lb = lb_;
      type.extent = ub_ - lb_;
    } else {
      type.lb = type.true_lb;
      type.extent = (type.true_extent + alignment_ - 1) / alignment_ * alignment_;
    }
  }

 private:
  bool marked_ = false;
  int alignment_ = 1;
  MPI_Aint lb_ = 0, ub_ = 0;
};

void fill(Datatype& type, TypeMapPointer&& map, ContentsBuilder& contents) {
  type.size = map->bytes;
  type.true_lb = map->true_lb;
  type.true_extent = map->true_ub - map->true_lb;
  type.map = std::move(map);
  type.contents = contents.done();
}

// `count` runs of `block` elements, `stride` bytes apart.
Error make_strided(MPI_Count count, MPI_Count block, MPI_Aint stride, Datatype& old, ContentsBuilder& contents,
                   Datatype*& out) {
  TypeMapPointer run, map;
  if (const Error error = map_loop(block, old.extent, old.map, run)) return error;
  if (const Error error = map_loop(count, stride, run, map)) return error;
  Bounds bounds;
  if (count > 0) {
    MPI_Aint last;
    if (__builtin_mul_overflow(count - 1, stride, &last)) return too_far();
    if (const Error error = bounds.add(old, 0, block)) return error;
    if (const Error error = bounds.add(old, last, block)) return error;
  }
  out = new Datatype;
  fill(*out, std::move(map), contents);
  bounds.apply(*out);
  return success;
}

Error check_counts(CountSpan counts, const char* what) {
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] < 0)
      return fail(ErrorClass::count, "%s[%zu] is %lld, must not be negative", what, i,
                  static_cast<long long>(counts[i]));
  return success;
}

Error check_count(MPI_Count count, const char* what) {
  if (count < 0)
    return fail(ErrorClass::count, "%s is %lld, must not be negative", what, static_cast<long long>(count));
  return success;
}

// Displacements in elements of `old` to bytes, with one block length each.
Error make_of_blocks(CountSpan blocks, MPI_Count block, CountSpan displacements, bool in_elements, Datatype& old,
                     ContentsBuilder& contents, Datatype*& out) {
  std::vector<TypePart> parts(displacements.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    MPI_Aint displacement = displacements[i];
    if (in_elements)
      if (const Error error = scale(displacements[i], old, displacement)) return error;
    parts[i] = {displacement, blocks.empty() ? block : blocks[i], &old};
  }
  return make_of_parts(parts, contents, out);
}

}  // namespace

Error make_of_parts(std::span<const TypePart> parts, ContentsBuilder& contents, Datatype*& out) {
  Bounds bounds;
  std::vector<TypeMap::Part> maps;
  maps.reserve(parts.size());
  for (const TypePart& part : parts) {
    if (const Error error = bounds.add(*part.type, part.displacement, part.count)) return error;
    maps.push_back({part.displacement, part.count, part.type->extent, part.type->map});
  }
  TypeMapPointer map;
  if (const Error error = map_parts(std::move(maps), map)) return error;
  out = new Datatype;
  fill(*out, std::move(map), contents);
  bounds.apply(*out);
  return success;
}

Datatype* make_bounded(TypeMapPointer map, MPI_Aint lb, MPI_Aint extent, int alignment, ContentsBuilder& contents) {
  auto* type = new Datatype;
  fill(*type, std::move(map), contents);
  type->marked = true;
  type->alignment = alignment;
  type->lb = lb;
  type->extent = extent;
  return type;
}

Error make_contiguous(MPI_Count count, Datatype& old, bool large, Datatype*& out) {
  if (const Error error = check_count(count, "count")) return error;
  ContentsBuilder contents(MPI_COMBINER_CONTIGUOUS, large);
  contents.count(count).type(old);
  return make_strided(count, 1, old.extent, old, contents, out);
}

Error make_vector(MPI_Count count, MPI_Count block, MPI_Count stride, Datatype& old, bool large, Datatype*& out) {
  if (const Error error = check_count(count, "count")) return error;
  if (const Error error = check_count(block, "blocklength")) return error;
  MPI_Aint bytes;
  if (const Error error = scale(stride, old, bytes)) return error;
  ContentsBuilder contents(MPI_COMBINER_VECTOR, large);
  contents.count(count).count(block).count(stride).type(old);
  return make_strided(count, block, bytes, old, contents, out);
}

Error make_hvector(MPI_Count count, MPI_Count block, MPI_Aint stride, Datatype& old, bool large, Datatype*& out) {
  if (const Error error = check_count(count, "count")) return error;
  if (const Error error = check_count(block, "blocklength")) return error;
  ContentsBuilder contents(MPI_COMBINER_HVECTOR, large);
  contents.count(count).count(block).displacement(stride).type(old);
  return make_strided(count, block, stride, old, contents, out);
}

Error make_indexed(CountSpan blocks, CountSpan displacements, Datatype& old, bool large, Datatype*& out) {
  if (const Error error = check_counts(blocks, "array_of_blocklengths")) return error;
  ContentsBuilder contents(MPI_COMBINER_INDEXED, large);
  contents.count(static_cast<MPI_Count>(blocks.size())).counts(blocks).counts(displacements).type(old);
  return make_of_blocks(blocks, 0, displacements, true, old, contents, out);
}

Error make_hindexed(CountSpan blocks, CountSpan displacements, Datatype& old, bool large, Datatype*& out) {
  if (const Error error = check_counts(blocks, "array_of_blocklengths")) return error;
  ContentsBuilder contents(MPI_COMBINER_HINDEXED, large);
  contents.count(static_cast<MPI_Count>(blocks.size())).counts(blocks).displacements(displacements).type(old);
  return make_of_blocks(blocks, 0, displacements, false, old, contents, out);
}

Error make_indexed_block(MPI_Count block, CountSpan displacements, Datatype& old, bool large, Datatype*& out) {
  if (const Error error = check_count(block, "blocklength")) return error;
  ContentsBuilder contents(MPI_COMBINER_INDEXED_BLOCK, large);
  contents.count(static_cast<MPI_Count>(displacements.size())).count(block).counts(displacements).type(old);
  return make_of_blocks({}, block, displacements, true, old, contents, out);
}

Error make_hindexed_block(MPI_Count block, CountSpan displacements, Datatype& old, bool large, Datatype*& out) {
  if (const Error error = check_count(block, "blocklength")) return error;
  ContentsBuilder contents(MPI_COMBINER_HINDEXED_BLOCK, large);
  contents.count(static_cast<MPI_Count>(displacements.size())).count(block).displacements(displacements).type(old);
  return make_of_blocks({}, block, displacements, false, old, contents, out);
}

Error make_struct(CountSpan blocks, CountSpan displacements, std::span<Datatype* const> types, bool large,
                  Datatype*& out) {
  if (const Error error = check_counts(blocks, "array_of_blocklengths")) return error;
  ContentsBuilder contents(MPI_COMBINER_STRUCT, large);
  contents.count(static_cast<MPI_Count>(blocks.size())).counts(blocks).displacements(displacements);
  std::vector<TypePart> parts(blocks.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    contents.type(*types[i]);
    parts[i] = {static_cast<MPI_Aint>(displacements[i]), blocks[i], types[i]};
  }
  return make_of_parts(parts, contents, out);
}

Error make_resized(MPI_Aint lb, MPI_Aint extent, Datatype& old, bool large, Datatype*& out) {
  MPI_Aint ub;
  if (__builtin_add_overflow(lb, extent, &ub)) return too_far();
  ContentsBuilder contents(MPI_COMBINER_RESIZED, large);
  contents.displacement(lb).displacement(extent).type(old);
  out = make_bounded(old.map, lb, extent, old.alignment, contents);
  out->plan = old.plan;
  return success;
}

Error make_dup(Datatype& old, Datatype*& out) {
  ContentsBuilder contents(MPI_COMBINER_DUP, false);
  contents.type(old);
  out = new Datatype;
  fill(*out, TypeMapPointer(old.map), contents);
  out->lb = old.lb;
  out->extent = old.extent;
  out->marked = old.marked;
  out->alignment = old.alignment;
  out->plan = old.plan;
  out->dense = old.dense;
  out->contiguous = old.contiguous;
  out->committed = old.committed;
  return success;
}

}  // namespace cow
