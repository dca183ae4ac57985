// Predefined operations on numbers, logical values and bits. Compiled with -O3: the loops are left to the vectoriser.
#include "objects/op_functions.hpp"

#include "objects/arithmetic.hpp"

namespace cow::op {
namespace {

// inout[i] = F(in[i], inout[i])
template <class T, class F>
void each(const void* in, void* inout, MPI_Count count) {
  const T* __restrict a = static_cast<const T*>(in);
  T* __restrict b = static_cast<T*>(inout);
  for (MPI_Count i = 0; i < count; ++i) b[i] = F::apply(a[i], b[i]);
}

struct Sum {
  template <class T>
  static T apply(T a, T b) {
    return add(a, b);
  }
};
struct Product {
  template <class T>
  static T apply(T a, T b) {
    return multiply(a, b);
  }
};
struct Minimum {
  template <class T>
  static T apply(T a, T b) {
    return a < b ? a : b;
  }
};
struct Maximum {
  template <class T>
  static T apply(T a, T b) {
    return a > b ? a : b;
  }
};
struct BitAnd {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(a & b);
  }
};
struct BitOr {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(a | b);
  }
};
struct BitXor {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(a ^ b);
  }
};

// Logical operations work on truth values; the types say what is true and how truth is written.
struct And {
  static bool truth(bool a, bool b) { return a & b; }
};
struct Or {
  static bool truth(bool a, bool b) { return a | b; }
};
struct Xor {
  static bool truth(bool a, bool b) { return a != b; }
};
template <class F>
struct OnIntegers {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(F::truth(a != 0, b != 0));
  }
};

template <class T, class F>
void each_logical(const void* in, void* inout, MPI_Count count) {
  const T* __restrict a = static_cast<const T*>(in);
  T* __restrict b = static_cast<T*>(inout);
  const T yes = static_cast<T>(fortran_facts.logical_true), no = static_cast<T>(fortran_facts.logical_false);
  for (MPI_Count i = 0; i < count; ++i) b[i] = F::truth(a[i] != no, b[i] != no) ? yes : no;
}

template <class F>
Op::Function for_integers(Basic basic) {
  switch (basic) {
    case Basic::int8: return each<std::int8_t, F>;
    case Basic::uint8: return each<std::uint8_t, F>;
    case Basic::int16: return each<std::int16_t, F>;
    case Basic::uint16: return each<std::uint16_t, F>;
    case Basic::int32: return each<std::int32_t, F>;
    case Basic::uint32: return each<std::uint32_t, F>;
    case Basic::int64: return each<std::int64_t, F>;
    case Basic::uint64: return each<std::uint64_t, F>;
    case Basic::int128: return each<Int128, F>;
    default: return nullptr;
  }
}

template <class F>
Op::Function for_reals(Basic basic) {
  switch (basic) {
    case Basic::real2: return each<Half, F>;
    case Basic::real4: return each<float, F>;
    case Basic::real8: return each<double, F>;
    case Basic::real16: return each<Quad, F>;
    case Basic::long_double: return each<long double, F>;
    default: return nullptr;
  }
}

template <class F>
Op::Function for_complex(Basic basic) {
  switch (basic) {
    case Basic::complex4: return each<Complex<Half>, F>;
    case Basic::complex8: return each<Complex<float>, F>;
    case Basic::complex16: return each<Complex<double>, F>;
    case Basic::complex32: return each<Complex<Quad>, F>;
    case Basic::complex_long_double: return each<Complex<long double>, F>;
    default: return nullptr;
  }
}

template <class F>
Op::Function for_logical(Basic basic) {
  switch (basic) {
    case Basic::boolean: return each<std::uint8_t, OnIntegers<F>>;
    case Basic::logical1: return each_logical<std::int8_t, F>;
    case Basic::logical2: return each_logical<std::int16_t, F>;
    case Basic::logical4: return each_logical<std::int32_t, F>;
    case Basic::logical8: return each_logical<std::int64_t, F>;
    case Basic::logical16: return each_logical<Int128, F>;
    default: return nullptr;
  }
}

bool is_integer(Category category) {
  return category == Category::c_integer || category == Category::fortran_integer ||
         category == Category::multi_language;
}

template <class F>
Op::Function for_ordered(const Datatype& type) {
  if (is_integer(type.category)) return for_integers<F>(type.basic);
  return type.category == Category::floating ? for_reals<F>(type.basic) : nullptr;
}

template <class F>
Op::Function for_numbers(const Datatype& type) {
  return type.category == Category::complex ? for_complex<F>(type.basic) : for_ordered<F>(type);
}

template <class F>
Op::Function for_bits(const Datatype& type) {
  if (is_integer(type.category)) return for_integers<F>(type.basic);
  return type.category == Category::byte ? each<std::uint8_t, F> : nullptr;
}

template <class F>
Op::Function for_truth(const Datatype& type) {
  if (type.category == Category::c_integer) return for_integers<OnIntegers<F>>(type.basic);
  return type.category == Category::logical ? for_logical<F>(type.basic) : nullptr;
}

// Bytes of an element for replace(): data of pairs has gaps, which may be copied too.
template <std::size_t size>
void copy_each(const void* in, void* inout, MPI_Count count) {
  std::memcpy(inout, in, static_cast<std::size_t>(count) * size);
}

void leave(const void*, void*, MPI_Count) {}

}  // namespace

Op::Function sum(const Datatype& type) { return for_numbers<Sum>(type); }
Op::Function product(const Datatype& type) { return for_numbers<Product>(type); }
Op::Function minimum(const Datatype& type) { return for_ordered<Minimum>(type); }
Op::Function maximum(const Datatype& type) { return for_ordered<Maximum>(type); }
Op::Function bit_and(const Datatype& type) { return for_bits<BitAnd>(type); }
Op::Function bit_or(const Datatype& type) { return for_bits<BitOr>(type); }
Op::Function bit_xor(const Datatype& type) { return for_bits<BitXor>(type); }
Op::Function logical_and(const Datatype& type) { return for_truth<And>(type); }
Op::Function logical_or(const Datatype& type) { return for_truth<Or>(type); }
Op::Function logical_xor(const Datatype& type) { return for_truth<Xor>(type); }

Op::Function replace(const Datatype& type) {
  if (type.basic == Basic::none) return nullptr;
  switch (type.extent) {
    case 1: return copy_each<1>;
    case 2: return copy_each<2>;
    case 4: return copy_each<4>;
    case 8: return copy_each<8>;
    case 12: return copy_each<12>;
    case 16: return copy_each<16>;
    case 24: return copy_each<24>;
    case 32: return copy_each<32>;
    case 48: return copy_each<48>;
    default: return nullptr;
  }
}

Op::Function nothing(const Datatype& type) { return type.basic == Basic::none ? nullptr : leave; }

}  // namespace cow::op
