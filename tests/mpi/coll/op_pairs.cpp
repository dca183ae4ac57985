// Every predefined operation on every predefined datatype: MPI_Allreduce and MPI_Reduce_local allow what section 6.9.2
// allows, and what MPICH and Open MPI both allow beyond it, agree in the result, and refuse the rest with MPI_ERR_OP. (tests/objects/op_test.cpp compares each loop with
// a scalar reference.)
#include <algorithm>
#include <array>
#include <cfloat>
#include <cstring>

#include "support/ranks.hpp"

namespace {

// The groups of section 6.9.2; pairs are for MPI_MINLOC and MPI_MAXLOC.
// `text` has none in the standard; everybody does it as C integers.
enum Group { c_integer, fortran_integer, floating, logical, complex, byte, multi_language, pair, text, none };

struct Type {
  MPI_Datatype handle;
  Group group;
};

const Type types[] = {{MPI_SIGNED_CHAR, c_integer},
                      {MPI_UNSIGNED_CHAR, c_integer},
                      {MPI_SHORT, c_integer},
                      {MPI_UNSIGNED_SHORT, c_integer},
                      {MPI_INT, c_integer},
                      {MPI_UNSIGNED, c_integer},
                      {MPI_LONG, c_integer},
                      {MPI_UNSIGNED_LONG, c_integer},
                      {MPI_LONG_LONG, c_integer},
                      {MPI_UNSIGNED_LONG_LONG, c_integer},
                      {MPI_INT8_T, c_integer},
                      {MPI_INT16_T, c_integer},
                      {MPI_INT32_T, c_integer},
                      {MPI_INT64_T, c_integer},
                      {MPI_UINT8_T, c_integer},
                      {MPI_UINT16_T, c_integer},
                      {MPI_UINT32_T, c_integer},
                      {MPI_UINT64_T, c_integer},
                      {MPI_INTEGER, fortran_integer},
                      {MPI_INTEGER1, fortran_integer},
                      {MPI_INTEGER2, fortran_integer},
                      {MPI_INTEGER4, fortran_integer},
                      {MPI_INTEGER8, fortran_integer},
                      {MPI_INTEGER16, fortran_integer},
                      {MPI_FLOAT, floating},
                      {MPI_DOUBLE, floating},
                      {MPI_LONG_DOUBLE, floating},
                      {MPI_REAL, floating},
                      {MPI_DOUBLE_PRECISION, floating},
                      {MPI_REAL2, floating},
                      {MPI_REAL4, floating},
                      {MPI_REAL8, floating},
                      {MPI_REAL16, floating},
                      {MPI_C_BOOL, logical},
                      {MPI_CXX_BOOL, logical},
                      {MPI_LOGICAL, logical},
                      {MPI_LOGICAL1, logical},
                      {MPI_LOGICAL2, logical},
                      {MPI_LOGICAL4, logical},
                      {MPI_LOGICAL8, logical},
                      {MPI_LOGICAL16, logical},
                      {MPI_C_FLOAT_COMPLEX, complex},
                      {MPI_C_DOUBLE_COMPLEX, complex},
                      {MPI_C_LONG_DOUBLE_COMPLEX, complex},
                      {MPI_CXX_FLOAT_COMPLEX, complex},
                      {MPI_CXX_DOUBLE_COMPLEX, complex},
                      {MPI_CXX_LONG_DOUBLE_COMPLEX, complex},
                      {MPI_COMPLEX, complex},
                      {MPI_DOUBLE_COMPLEX, complex},
                      {MPI_COMPLEX4, complex},
                      {MPI_COMPLEX8, complex},
                      {MPI_COMPLEX16, complex},
                      {MPI_COMPLEX32, complex},
                      {MPI_BYTE, byte},
                      {MPI_AINT, multi_language},
                      {MPI_OFFSET, multi_language},
                      {MPI_COUNT, multi_language},
                      {MPI_FLOAT_INT, pair},
                      {MPI_DOUBLE_INT, pair},
                      {MPI_LONG_INT, pair},
                      {MPI_2INT, pair},
                      {MPI_SHORT_INT, pair},
                      {MPI_LONG_DOUBLE_INT, pair},
                      {MPI_2REAL, pair},
                      {MPI_2DOUBLE_PRECISION, pair},
                      {MPI_2INTEGER, pair},
                      {MPI_CHAR, text},
                      {MPI_WCHAR, none},
                      {MPI_PACKED, none},
                      {MPI_CHARACTER, text}};

enum Kind { order, arithmetic, truth, bits, location };
struct Operation {
  MPI_Op handle;
  const char* name;
  Kind kind;
};
const Operation operations[] = {
    {MPI_MAX, "MPI_MAX", order},        {MPI_MIN, "MPI_MIN", order},          {MPI_SUM, "MPI_SUM", arithmetic},
    {MPI_PROD, "MPI_PROD", arithmetic}, {MPI_LAND, "MPI_LAND", truth},        {MPI_LOR, "MPI_LOR", truth},
    {MPI_LXOR, "MPI_LXOR", truth},      {MPI_BAND, "MPI_BAND", bits},         {MPI_BOR, "MPI_BOR", bits},
    {MPI_BXOR, "MPI_BXOR", bits},       {MPI_MAXLOC, "MPI_MAXLOC", location}, {MPI_MINLOC, "MPI_MINLOC", location}};

bool allowed(Kind kind, Group group) {
  const bool integer = group == c_integer || group == fortran_integer || group == multi_language || group == text;
  switch (kind) {
    case order: return integer || group == floating;
    case arithmetic: return integer || group == floating || group == complex;
    case truth: return group == c_integer || group == logical || group == multi_language || group == text;
    case bits: return integer || group == byte;
    default: return group == pair;
  }
}

std::string name_of(MPI_Datatype type) {
  char name[MPI_MAX_OBJECT_NAME] = "";
  int length = 0;
  MPI_Type_get_name(type, name, &length);
  return name;
}

constexpr int count = 5;
struct alignas(64) Elements : std::array<unsigned char, count * 64> {};

// What a rank contributes: each byte 0 or 1, which is a value of every type, and of floating ones a number so small that
// two of them add up exactly.
Elements contribution(int rank, std::uint64_t salt) {
  Elements bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = ranks::pattern_byte(salt + static_cast<std::uint64_t>(rank) * 1000, i) & 1;
  return bytes;
}

// A long double of x86 is ten bytes of sixteen: the others are whatever the registers and the stack held.
void blank_padding(std::vector<char>& bytes, MPI_Datatype type) {
  if (LDBL_MANT_DIG != 64) return;
  const bool is_pair = type == MPI_LONG_DOUBLE_INT;  // packed: a long double, then an int
  const bool is_long_double =
      is_pair || type == MPI_LONG_DOUBLE || type == MPI_C_LONG_DOUBLE_COMPLEX || type == MPI_CXX_LONG_DOUBLE_COMPLEX;
  if (!is_long_double) return;
  const std::size_t step = sizeof(long double) + (is_pair ? sizeof(int) : 0);
  for (std::size_t at = 0; at + sizeof(long double) <= bytes.size(); at += step)
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at) + 10, sizeof(long double) - 10, '\0');
}

// The data without what lies between the members of pairs.
std::vector<char> packed(const Elements& elements, MPI_Datatype type) {
  std::vector<char> bytes(elements.size());
  int position = 0;
  EXPECT_MPI_OK(
      MPI_Pack(elements.data(), count, type, bytes.data(), static_cast<int>(bytes.size()), &position, MPI_COMM_SELF));
  bytes.resize(static_cast<std::size_t>(position));
  blank_padding(bytes, type);
  return bytes;
}

struct OpPairs : testing::Test {
  ranks::ReturningComm comm;
  void SetUp() override { MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN); }
  void TearDown() override { MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL); }

  void check_allowed(MPI_Op op, MPI_Datatype type, std::uint64_t salt) {
    const int me = ranks::rank(), n = ranks::count();
    Elements expected = contribution(0, salt), result{};
    for (int rank = 1; rank < n; ++rank) {
      Elements next = contribution(rank, salt);
      ASSERT_MPI_OK(MPI_Reduce_local(expected.data(), next.data(), count, type, op));
      expected = next;
    }
    const Elements own = contribution(me, salt);
    ASSERT_MPI_OK(MPI_Allreduce(own.data(), result.data(), count, type, op, comm));
    EXPECT_EQ(packed(result, type), packed(expected, type));
  }

  void check_refused(MPI_Op op, const char* op_name, MPI_Datatype type) {
    Elements in{}, out{};
    for (const int code : {MPI_Allreduce(in.data(), out.data(), count, type, op, comm),
                           MPI_Reduce_local(in.data(), out.data(), count, type, op)}) {
      EXPECT_MPI_ERROR(code, MPI_ERR_OP);
      EXPECT_NE(ranks::error_text(code).find(op_name), std::string::npos) << ranks::error_text(code);
    }
    EXPECT_EQ(out, Elements{});
  }
};

TEST_F(OpPairs, AllOfThem) {
  std::uint64_t salt = 0;
  int pairs = 0;
  for (const Type& type : types)
    for (const Operation& operation : operations) {
      SCOPED_TRACE(std::string(operation.name) + " of " + name_of(type.handle));
      const bool may = allowed(operation.kind, type.group);
      pairs += may;
      if (may)
        check_allowed(operation.handle, type.handle, ++salt);
      else
        check_refused(operation.handle, operation.name, type.handle);
    }
  EXPECT_EQ(pairs, 18 * 10 + 6 * 7 + 9 * 4 + 8 * 3 + 12 * 2 + 3 + 3 * 10 + 9 * 2 + 2 * 10);
}

// MPI_REPLACE and MPI_NO_OP belong to one-sided communication.
TEST_F(OpPairs, OperationsOfWindows) {
  int in = 1, out = 2;
  EXPECT_MPI_ERROR(MPI_Allreduce(&in, &out, 1, MPI_INT, MPI_REPLACE, comm), MPI_ERR_OP);
  EXPECT_MPI_ERROR(MPI_Allreduce(&in, &out, 1, MPI_INT, MPI_NO_OP, comm), MPI_ERR_OP);
  EXPECT_EQ(out, 2);
}

// Derived types are for operations of the program's own only.
TEST_F(OpPairs, DerivedTypes) {
  MPI_Datatype two;
  ASSERT_MPI_OK(MPI_Type_contiguous(2, MPI_INT, &two));
  ASSERT_MPI_OK(MPI_Type_commit(&two));
  check_refused(MPI_SUM, "MPI_SUM", two);
  MPI_Op own;
  ASSERT_MPI_OK(MPI_Op_create_c(
      [](void* in, void* inout, MPI_Count* length, MPI_Datatype*) {
        for (MPI_Count i = 0; i < 2 * *length; ++i) static_cast<int*>(inout)[i] += static_cast<int*>(in)[i];
      },
      1, &own));
  const int in[4] = {1, 2, 3, 4};
  int out[4] = {};
  ASSERT_MPI_OK(MPI_Allreduce(in, out, 2, two, own, comm));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(out[i], in[i] * ranks::count());
  ASSERT_MPI_OK(MPI_Op_free(&own));
  ASSERT_MPI_OK(MPI_Type_free(&two));
}

}  // namespace
