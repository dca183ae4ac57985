// The predefined datatypes as data: one row each in predefined_types.def.
#pragma once

#include <cstdint>

namespace cow {

// What an element is to arithmetic and to conversions. Names of one meaning (long and int64_t) share one.
enum class Basic : std::uint8_t {
  none,  // not a basic element: a derived type
  byte,
  int8,
  uint8,
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64,
  int128,
  real2,
  real4,
  real8,
  real16,
  long_double,
  complex4,
  complex8,
  complex16,
  complex32,
  complex_long_double,
  boolean,
  logical1,
  logical2,
  logical4,
  logical8,
  logical16,
  pair,  // a value and an index, for MINLOC and MAXLOC
};

// The standard's groups of types, which say what operations are allowed (section 6.9.2).
enum class Category : std::uint8_t {
  none,       // packed data, wide characters: no operations
  character,  // MPI_CHAR, MPI_CHARACTER: none by the standard; see stand_in() in op.cpp
  c_integer,
  fortran_integer,
  floating,
  logical,
  complex,
  byte,
  multi_language,  // MPI_AINT, MPI_OFFSET, MPI_COUNT
  pair,
};

// Sizes and logical values of the Fortran compiler in use. They are data: a program's Fortran may say otherwise
// (MPI_Abi_set_fortran_info, MPI_Abi_set_fortran_booleans) before the types are first used.
struct FortranFacts {
  int logical_size = 4;
  int integer_size = 4;
  int real_size = 4;
  int double_precision_size = 8;
  std::int64_t logical_true = 1;
  std::int64_t logical_false = 0;
};
extern FortranFacts fortran_facts;

// Changes the facts, and with them the predefined types that depend on them.
void set_fortran_facts(const FortranFacts& facts);

// Gives every predefined datatype, operation, group, info and error handler its handle. May be called again, from any
// thread, and before MPI_Init.
void register_predefined();

inline constexpr int size_of(Basic basic) {
  switch (basic) {
    case Basic::byte:
    case Basic::int8:
    case Basic::uint8:
    case Basic::boolean:
    case Basic::logical1: return 1;
    case Basic::int16:
    case Basic::uint16:
    case Basic::real2:
    case Basic::logical2: return 2;
    case Basic::int32:
    case Basic::uint32:
    case Basic::real4:
    case Basic::complex4:
    case Basic::logical4: return 4;
    case Basic::int64:
    case Basic::uint64:
    case Basic::real8:
    case Basic::complex8:
    case Basic::logical8: return 8;
    case Basic::int128:
    case Basic::real16:
    case Basic::complex16:
    case Basic::logical16: return 16;
    case Basic::long_double: return sizeof(long double);
    case Basic::complex32: return 32;
    case Basic::complex_long_double: return 2 * sizeof(long double);
    case Basic::none:
    case Basic::pair: return 0;
  }
  return 0;
}

// What the compiler aligns such an element to in a structure.
inline constexpr int alignment_of(Basic basic) {
  switch (basic) {
    case Basic::complex4: return 2;
    case Basic::complex8: return 4;
    case Basic::complex16: return 8;
    case Basic::complex32: return 16;
    case Basic::long_double:
    case Basic::complex_long_double: return alignof(long double);
    case Basic::none:
    case Basic::pair: return 1;
    default: return size_of(basic);
  }
}

}  // namespace cow
