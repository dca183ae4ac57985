// MPI_MINLOC and MPI_MAXLOC: the lesser or greater value, and the index it came with; of equal values the lower index.
#include "objects/arithmetic.hpp"
#include "objects/op_functions.hpp"

namespace cow::op {
namespace {

template <class Value, class Index>
struct Pair {
  Value value;
  Index index;
};

template <class Value, class Index, bool greater>
void locate(const void* in, void* inout, MPI_Count count) {
  const auto* a = static_cast<const Pair<Value, Index>*>(in);
  auto* b = static_cast<Pair<Value, Index>*>(inout);
  for (MPI_Count i = 0; i < count; ++i) {
    // Written member by member: padding is not the program's data.
    if (greater ? a[i].value > b[i].value : a[i].value < b[i].value) {
      b[i].value = a[i].value;
      b[i].index = a[i].index;
    } else if (a[i].value == b[i].value && a[i].index < b[i].index) {
      b[i].index = a[i].index;
    }
  }
}

template <class Value, bool greater>
Op::Function with_index(Basic index) {
  switch (index) {
    case Basic::int8: return locate<Value, std::int8_t, greater>;
    case Basic::uint8: return locate<Value, std::uint8_t, greater>;
    case Basic::int16: return locate<Value, std::int16_t, greater>;
    case Basic::uint16: return locate<Value, std::uint16_t, greater>;
    case Basic::int32: return locate<Value, std::int32_t, greater>;
    case Basic::uint32: return locate<Value, std::uint32_t, greater>;
    case Basic::int64: return locate<Value, std::int64_t, greater>;
    case Basic::uint64: return locate<Value, std::uint64_t, greater>;
    default: return nullptr;
  }
}

template <bool greater>
Op::Function select(const Datatype& type) {
  const Basic index = type.pair_index;
  switch (type.pair_value) {
    case Basic::int8: return with_index<std::int8_t, greater>(index);
    case Basic::uint8: return with_index<std::uint8_t, greater>(index);
    case Basic::int16: return with_index<std::int16_t, greater>(index);
    case Basic::uint16: return with_index<std::uint16_t, greater>(index);
    case Basic::int32: return with_index<std::int32_t, greater>(index);
    case Basic::uint32: return with_index<std::uint32_t, greater>(index);
    case Basic::int64: return with_index<std::int64_t, greater>(index);
    case Basic::uint64: return with_index<std::uint64_t, greater>(index);
    case Basic::int128: return with_index<Int128, greater>(index);
    case Basic::real2: return with_index<Half, greater>(index);
    case Basic::real4:  // Fortran's MPI_2REAL has its index in a real
      return index == Basic::real4 ? locate<float, float, greater> : with_index<float, greater>(index);
    case Basic::real8:
      return index == Basic::real8 ? locate<double, double, greater> : with_index<double, greater>(index);
    case Basic::real16: return index == Basic::real16 ? locate<Quad, Quad, greater> : with_index<Quad, greater>(index);
    case Basic::long_double: return with_index<long double, greater>(index);
    default: return nullptr;
  }
}

}  // namespace

Op::Function minimum_location(const Datatype& type) { return select<false>(type); }
Op::Function maximum_location(const Datatype& type) { return select<true>(type); }

}  // namespace cow::op
