#include "objects/typemap.hpp"

#include <algorithm>

namespace cow {
namespace {

Error too_large() { return fail(ErrorClass::value_too_large, "the datatype would span more than 2^63 - 1 bytes"); }

struct Range {
  MPI_Aint low, high;
};

// Where `count` copies of [child.true_lb, child.true_ub) lie, `stride` apart from `displacement` on.
bool span_of(const TypeMap& child, MPI_Aint displacement, MPI_Count count, MPI_Aint stride, Range& out) {
  MPI_Aint last;
  if (__builtin_mul_overflow(count - 1, stride, &last)) return false;
  const MPI_Aint low = std::min<MPI_Aint>(0, last), high = std::max<MPI_Aint>(0, last);
  return !__builtin_add_overflow(child.true_lb, low, &out.low) &&
         !__builtin_add_overflow(out.low, displacement, &out.low) &&
         !__builtin_add_overflow(child.true_ub, high, &out.high) &&
         !__builtin_add_overflow(out.high, displacement, &out.high);
}

const TypeMapPointer& empty_map() {
  static const TypeMapPointer empty = std::make_shared<const TypeMap>();
  return empty;
}

}  // namespace

TypeMapPointer map_leaf(Basic basic, int external_bytes, bool is_wide_char) {
  auto leaf = std::make_shared<TypeMap>();
  leaf->kind = TypeMap::Kind::leaf;
  leaf->basic = basic;
  leaf->external = static_cast<std::uint8_t>(external_bytes);
  leaf->is_wide_char = is_wide_char;
  leaf->bytes = leaf->true_ub = size_of(basic);
  leaf->external_bytes = external_bytes;
  leaf->elements = 1;
  return leaf;
}

Error map_loop(MPI_Count count, MPI_Aint stride, const TypeMapPointer& child, TypeMapPointer& out) {
  if (count == 0 || child->elements == 0) {
    out = empty_map();
    return success;
  }
  if (count == 1) {
    out = child;
    return success;
  }
  auto loop = std::make_shared<TypeMap>();
  loop->kind = TypeMap::Kind::loop;
  loop->count = count;
  loop->stride = stride;
  loop->child = child;
  Range range;
  if (__builtin_mul_overflow(child->bytes, count, &loop->bytes) ||
      __builtin_mul_overflow(child->external_bytes, count, &loop->external_bytes) ||
      __builtin_mul_overflow(child->elements, count, &loop->elements) || !span_of(*child, 0, count, stride, range))
    return too_large();
  loop->true_lb = range.low;
  loop->true_ub = range.high;
  out = std::move(loop);
  return success;
}

Error map_parts(std::vector<TypeMap::Part>&& parts, TypeMapPointer& out) {
  std::erase_if(parts, [](const TypeMap::Part& part) { return part.count == 0 || part.child->elements == 0; });
  if (parts.empty()) {
    out = empty_map();
    return success;
  }
  if (parts.size() == 1 && parts[0].displacement == 0)
    return map_loop(parts[0].count, parts[0].stride, TypeMapPointer(parts[0].child), out);
  auto map = std::make_shared<TypeMap>();
  map->true_lb = INTPTR_MAX;
  map->true_ub = INTPTR_MIN;
  for (TypeMap::Part& part : parts) {
    part.bytes_before = map->bytes;
    part.elements_before = map->elements;
    const TypeMap& child = *part.child;
    MPI_Count bytes, external, elements;
    Range range;
    if (__builtin_mul_overflow(child.bytes, part.count, &bytes) ||
        __builtin_add_overflow(map->bytes, bytes, &map->bytes) ||
        __builtin_mul_overflow(child.external_bytes, part.count, &external) ||
        __builtin_add_overflow(map->external_bytes, external, &map->external_bytes) ||
        __builtin_mul_overflow(child.elements, part.count, &elements) ||
        __builtin_add_overflow(map->elements, elements, &map->elements) ||
        !span_of(child, part.displacement, part.count, part.stride, range))
      return too_large();
    map->true_lb = std::min(map->true_lb, range.low);
    map->true_ub = std::max(map->true_ub, range.high);
  }
  map->parts = std::move(parts);
  out = std::move(map);
  return success;
}

Error map_shift(MPI_Aint displacement, const TypeMapPointer& child, TypeMapPointer& out) {
  if (displacement == 0) {
    out = child;
    return success;
  }
  std::vector<TypeMap::Part> parts;
  parts.push_back({displacement, 1, 0, child});
  return map_parts(std::move(parts), out);
}

}  // namespace cow
