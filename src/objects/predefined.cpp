#include "objects/predefined.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "objects/constructors.hpp"
#include "objects/datatype.hpp"
#include "objects/errhandler.hpp"
#include "objects/group.hpp"
#include "objects/info.hpp"
#include "objects/op.hpp"
#include "objects/typemap.hpp"

namespace cow {

FortranFacts fortran_facts;

namespace {

Basic integer_of_size(int bytes) {
  switch (bytes) {
    case 1: return Basic::int8;
    case 2: return Basic::int16;
    case 4: return Basic::int32;
    case 8: return Basic::int64;
    case 16: return Basic::int128;
    default: return Basic::byte;
  }
}
Basic unsigned_of_size(int bytes) { return bytes == 8 ? Basic::uint64 : Basic::uint32; }
Basic logical_of_size(int bytes) {
  switch (bytes) {
    case 1: return Basic::logical1;
    case 2: return Basic::logical2;
    case 8: return Basic::logical8;
    case 16: return Basic::logical16;
    default: return Basic::logical4;
  }
}
Basic real_of_size(int bytes) {
  switch (bytes) {
    case 2: return Basic::real2;
    case 8: return Basic::real8;
    case 16: return Basic::real16;
    default: return Basic::real4;
  }
}
Basic complex_of_size(int bytes) {
  switch (bytes) {
    case 4: return Basic::complex4;
    case 16: return Basic::complex16;
    case 32: return Basic::complex32;
    default: return Basic::complex8;
  }
}

std::uint32_t number_of(const void* handle) {
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(handle));
}

// Predefined types live as long as the process: programs may use them in static destructors.
Datatype* new_basic(Basic basic, Category category, int external, bool is_wide_char) {
  auto* type = new Datatype;
  type->map = map_leaf(basic, external, is_wide_char);
  type->basic = basic;
  type->category = category;
  type->size = type->extent = type->true_extent = size_of(basic);
  type->alignment = alignment_of(basic);
  type->permanent = true;
  commit(*type);
  return type;
}

int round_up(int value, int unit) { return (value + unit - 1) / unit * unit; }

// As the C compiler lays out struct { value; index; }.
Datatype* new_pair(const Datatype& value, const Datatype& index) {
  auto* type = new Datatype;
  const int offset = round_up(static_cast<int>(value.size), index.alignment);
  std::vector<TypeMap::Part> parts;
  parts.push_back({0, 1, 0, value.map});
  parts.push_back({offset, 1, 0, index.map});
  TypeMapPointer map;
  COW_INVARIANT(!map_parts(std::move(parts), map));
  type->alignment = std::max(value.alignment, index.alignment);
  type->size = map->bytes;
  type->true_extent = map->true_ub;
  type->extent = round_up(static_cast<int>(map->true_ub), type->alignment);
  type->map = std::move(map);
  type->basic = Basic::pair;
  type->category = Category::pair;
  type->pair_value = value.basic;
  type->pair_index = index.basic;
  type->permanent = true;
  commit(*type);
  return type;
}

void enter(Datatype& type, MPI_Datatype handle, const char* name) {
  type.name = name;
  table<Datatype>().insert_predefined(type, number_of(handle));
}

void register_types() {
#define COW_TYPE(handle, basic, category, external) \
  enter(*new_basic(basic, Category::category, external, handle == MPI_WCHAR), handle, #handle);
#define COW_PAIR(handle, value, index) enter(*new_pair(*find(value), *find(index)), handle, #handle);
#include "objects/predefined_types.def"
#undef COW_TYPE
#undef COW_PAIR
}

// A type becomes what it would be if it were registered now. Takes over `now`.
void adopt(Datatype& type, Datatype* now) {
  type.size = now->size;
  type.extent = now->extent;
  type.true_extent = now->true_extent;
  type.basic = now->basic;
  type.pair_value = now->pair_value;
  type.pair_index = now->pair_index;
  type.alignment = now->alignment;
  type.contiguous = now->contiguous;
  type.dense = now->dense;
  type.plan = now->plan;
  type.map = now->map;
  delete now;
}

void register_again() {
#define COW_TYPE(handle, basic_of, category, external) \
  if (find(handle)->basic != (basic_of)) adopt(*find(handle), new_basic(basic_of, Category::category, external, false));
#define COW_PAIR(handle, value, index)                                                                  \
  if (find(handle)->pair_value != find(value)->basic || find(handle)->pair_index != find(index)->basic) \
    adopt(*find(handle), new_pair(*find(value), *find(index)));
#include "objects/predefined_types.def"
#undef COW_TYPE
#undef COW_PAIR
}

// Types without a name that are made once for each set of arguments, in maps that are used to the very end of the
// process and so never destroyed.
template <class Key, class Make>
Datatype* find_or_make(std::map<Key, Datatype*>& made, const Key& key, Make make) {
  const auto known = made.find(key);
  if (known != made.end()) return known->second;
  Datatype* type = make();
  return made.emplace(key, type).first->second;
}

// A predefined type of its own with the meaning of `like`, and the arguments it was asked for with.
Datatype* new_f90(const Datatype& like, ContentsBuilder& contents) {
  Datatype* type = new_basic(like.basic, like.category, static_cast<int>(like.map->external_bytes), false);
  type->contents = contents.done();
  return type;
}

// What Fortran's selected_real_kind chooses from.
constexpr std::pair<int, int> real_kinds[] = {{6, 37}, {15, 307}, {18, 4931}, {33, 4931}};

Error find_f90_floating(int precision, int range, int combiner, Datatype*& out) {
  if (precision == MPI_UNDEFINED && range == MPI_UNDEFINED)
    return fail(ErrorClass::arg, "the precision and the range must not both be MPI_UNDEFINED");
  const bool complex = combiner == MPI_COMBINER_F90_COMPLEX;
  const MPI_Datatype likes[][2] = {{MPI_REAL4, MPI_COMPLEX8},
                                   {MPI_REAL8, MPI_COMPLEX16},
                                   {MPI_LONG_DOUBLE, MPI_C_LONG_DOUBLE_COMPLEX},
                                   {MPI_REAL16, MPI_COMPLEX32}};
  for (std::size_t i = 0; i < std::size(real_kinds); ++i) {
    if (precision != MPI_UNDEFINED && precision > real_kinds[i].first) continue;
    if (range != MPI_UNDEFINED && range > real_kinds[i].second) continue;
    static auto& made = *new std::map<std::tuple<int, int, int>, Datatype*>;
    out = find_or_make(made, {combiner, precision, range}, [&] {
      ContentsBuilder contents(combiner, false);
      contents.integer(precision).integer(range);
      return new_f90(*find(likes[i][complex]), contents);
    });
    return success;
  }
  return fail(ErrorClass::arg, "there is no %s kind with precision %d and range %d: at most 33 and 4931",
              complex ? "complex" : "real", precision, range);
}

bool is_integer(const Datatype& type) {
  return type.category == Category::c_integer || type.category == Category::fortran_integer ||
         type.category == Category::multi_language;
}

}  // namespace

Error find_f90_real(int precision, int range, Datatype*& out) {
  return find_f90_floating(precision, range, MPI_COMBINER_F90_REAL, out);
}

Error find_f90_complex(int precision, int range, Datatype*& out) {
  return find_f90_floating(precision, range, MPI_COMBINER_F90_COMPLEX, out);
}

Error find_f90_integer(int range, Datatype*& out) {
  const std::pair<int, MPI_Datatype> kinds[] = {
      {2, MPI_INTEGER1}, {4, MPI_INTEGER2}, {9, MPI_INTEGER4}, {18, MPI_INTEGER8}, {38, MPI_INTEGER16}};
  for (const auto& kind : kinds) {
    if (range > kind.first) continue;
    static auto& made = *new std::map<int, Datatype*>;
    out = find_or_make(made, range, [&] {
      ContentsBuilder contents(MPI_COMBINER_F90_INTEGER, false);
      contents.integer(range);
      return new_f90(*find(kind.second), contents);
    });
    return success;
  }
  return fail(ErrorClass::arg, "there is no integer kind for %d decimal digits: at most 38", range);
}

Datatype* find_value_index(const Datatype& value, const Datatype& index) {
#define COW_TYPE(handle, basic, category, external)
#define COW_PAIR(handle, value_handle, index_handle) \
  if (&value == find(value_handle) && &index == find(index_handle)) return find(handle);
#include "objects/predefined_types.def"
#undef COW_TYPE
#undef COW_PAIR
  if (!value.permanent || !index.permanent || !is_integer(index) || index.basic == Basic::int128) return nullptr;
  if (!is_integer(value) && value.category != Category::floating) return nullptr;
  static auto& made = *new std::map<std::pair<const Datatype*, const Datatype*>, Datatype*>;
  return find_or_make(made, {&value, &index}, [&] {
    Datatype* pair = new_pair(value, index);
    ContentsBuilder contents(MPI_COMBINER_VALUE_INDEX, false);
    contents.type(const_cast<Datatype&>(value)).type(const_cast<Datatype&>(index));
    pair->contents = contents.done();
    return pair;
  });
}

Error match_size(int type_class, int bytes, Datatype*& out) {
  const MPI_Datatype integers[] = {MPI_INTEGER1, MPI_INTEGER2, MPI_INTEGER4, MPI_INTEGER8, MPI_INTEGER16};
  const MPI_Datatype reals[] = {MPI_REAL2, MPI_REAL4, MPI_REAL8, MPI_REAL16};
  const MPI_Datatype complexes[] = {MPI_COMPLEX4, MPI_COMPLEX8, MPI_COMPLEX16, MPI_COMPLEX32};
  const char* name;
  std::span<const MPI_Datatype> candidates;
  switch (type_class) {
    case MPI_TYPECLASS_INTEGER: candidates = integers, name = "integer"; break;
    case MPI_TYPECLASS_REAL: candidates = reals, name = "real"; break;
    case MPI_TYPECLASS_COMPLEX: candidates = complexes, name = "complex"; break;
    default:
      return fail(ErrorClass::arg, "typeclass is %d, must be MPI_TYPECLASS_INTEGER, _REAL or _COMPLEX", type_class);
  }
  for (const MPI_Datatype candidate : candidates)
    if (find(candidate)->size == bytes) {
      out = find(candidate);
      return success;
    }
  return fail(ErrorClass::arg, "there is no %s type of %d bytes", name, bytes);
}

void set_fortran_facts(const FortranFacts& facts) {
  register_predefined();
  fortran_facts = facts;
  register_again();
}

void register_ops();  // op.cpp

void register_predefined() {
  static std::once_flag once;
  std::call_once(once, [] {
    register_types();
    register_ops();
    table<Group>().insert_predefined(empty_group, number_of(MPI_GROUP_EMPTY));
    table<Info>().insert_predefined(info_env(), number_of(MPI_INFO_ENV));
    table<Errhandler>().insert_predefined(errors_are_fatal, number_of(MPI_ERRORS_ARE_FATAL));
    table<Errhandler>().insert_predefined(errors_abort, number_of(MPI_ERRORS_ABORT));
    table<Errhandler>().insert_predefined(errors_return, number_of(MPI_ERRORS_RETURN));
  });
}

}  // namespace cow
