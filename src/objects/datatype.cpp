#include "objects/datatype.hpp"

#include <algorithm>

#include "objects/constructors.hpp"
#include "objects/plan.hpp"
#include "objects/typemap.hpp"

namespace cow {

Datatype::Datatype() = default;
Datatype::~Datatype() = default;

TypeContents::~TypeContents() {
  for (Datatype* type : types) release(*type);
}

void end_life(Datatype& type) {
  if (type.permanent) {  // others may have let it go too often, but a program can always name it again
    type.references = 1;
    return;
  }
  COW_INVARIANT(type.index == 0);  // handles hold references
  delete &type;
}

Error give_handle(Datatype& type, MPI_Datatype* out) {
  if (type.index == 0)
    if (const Error error = table<Datatype>().insert(type)) return error;
  if (!type.permanent) {
    ++type.handles;
    retain(type);
  }
  *out = handle_of(type);
  return success;
}

Error free_handle(Datatype& type) {
  if (type.permanent) return fail(ErrorClass::type, "%s is predefined and cannot be freed", describe(type));
  if (type.handles == 1) {
    if (const Error error = type.attributes.clear(type.handle())) return error;
    table<Datatype>().erase(type);
  }
  --type.handles;
  release(type);
  return success;
}

void commit(Datatype& type) {
  if (type.committed) return;
  if (!type.plan) type.plan = std::make_shared<const Plan>(make_plan(*type.map));
  const PlanNode& root = type.plan->nodes[0];
  type.dense = root.kind == PlanNode::Kind::block;
  // A loop of one block whose elements go on with its stride would be dense only if the block were as long as the
  // stride, and then the plan is a block: so this is all.
  type.contiguous = type.size == 0 || (type.dense && type.extent == type.size);
  type.committed = true;
}

const char* describe(const Datatype& type) { return type.name.empty() ? "a derived datatype" : type.name.c_str(); }

namespace {

MPI_Count elements_in(const TypeMap& map, MPI_Count bytes);

// Of `count` copies of a map.
MPI_Count elements_in_copies(const TypeMap& map, MPI_Count bytes) {
  const MPI_Count whole = bytes / map.bytes;
  const MPI_Count rest = bytes - whole * map.bytes;
  if (rest == 0) return whole * map.elements;
  const MPI_Count part = elements_in(map, rest);
  return part == MPI_UNDEFINED ? part : whole * map.elements + part;
}

// 0 < bytes <= map.bytes
MPI_Count elements_in(const TypeMap& map, MPI_Count bytes) {
  if (bytes == map.bytes) return map.elements;
  switch (map.kind) {
    case TypeMap::Kind::leaf: return MPI_UNDEFINED;
    case TypeMap::Kind::loop: return elements_in_copies(*map.child, bytes);
    case TypeMap::Kind::parts: {
      auto part = std::upper_bound(map.parts.begin(), map.parts.end(), bytes,
                                   [](MPI_Count b, const TypeMap::Part& p) { return b < p.bytes_before; });
      --part;
      const MPI_Count inside = bytes - part->bytes_before;
      const MPI_Count elements = inside == 0 ? 0 : elements_in_copies(*part->child, inside);
      return elements == MPI_UNDEFINED ? elements : part->elements_before + elements;
    }
  }
  return MPI_UNDEFINED;
}

MPI_Count bytes_in(const TypeMap& map, MPI_Count elements);

MPI_Count bytes_in_copies(const TypeMap& map, MPI_Count elements) {
  const MPI_Count whole = elements / map.elements;
  return whole * map.bytes + bytes_in(map, elements - whole * map.elements);
}

// 0 <= elements < map.elements
MPI_Count bytes_in(const TypeMap& map, MPI_Count elements) {
  if (elements == 0) return 0;
  if (map.kind == TypeMap::Kind::loop) return bytes_in_copies(*map.child, elements);
  auto part = std::upper_bound(map.parts.begin(), map.parts.end(), elements,
                               [](MPI_Count e, const TypeMap::Part& p) { return e < p.elements_before; });
  --part;
  return part->bytes_before + bytes_in_copies(*part->child, elements - part->elements_before);
}

}  // namespace

Error bytes_of_elements(const Datatype& type, MPI_Count elements, MPI_Count& bytes) {
  const MPI_Count each = type.map->elements;
  if (elements > 0 && each == 0)
    return fail(ErrorClass::arg, "%s has no elements, and %lld were to be set", describe(type),
                static_cast<long long>(elements));
  MPI_Count most;
  if (elements > 0 && __builtin_mul_overflow(elements / each + 1, type.size, &most))
    return fail(ErrorClass::value_too_large, "so many elements are more than 2^63 - 1 bytes");
  bytes = elements == 0 ? 0 : bytes_in_copies(*type.map, elements);
  return success;
}

MPI_Count elements_in(const Datatype& type, MPI_Count bytes) {
  if (bytes == 0) return 0;
  if (type.size == 0) return MPI_UNDEFINED;
  return elements_in_copies(*type.map, bytes);
}

}  // namespace cow
