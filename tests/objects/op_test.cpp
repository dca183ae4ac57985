// Every predefined operation on every predefined type: allowed or refused as the standard's tables say, and equal to a
// scalar reference.
#include "objects/op.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstring>
#include <functional>
#include <random>

#include "objects/arithmetic.hpp"
#include "objects/constructors.hpp"
#include "objects/predefined.hpp"

namespace cow::test {
namespace {

// The groups of section 6.9.2. Beyond it, as other libraries do: text (MPI_CHAR) is as C integers are, and logical
// operations take multi_language.
enum Group { c_integers, fortran_integers, floating, logicals, complexes, bytes, multi_language, text, none };

const std::vector<std::pair<MPI_Op, std::string>> operations = {
    {MPI_SUM, "SUM"},   {MPI_PROD, "PROD"}, {MPI_MIN, "MIN"},       {MPI_MAX, "MAX"},
    {MPI_LAND, "LAND"}, {MPI_LOR, "LOR"},   {MPI_LXOR, "LXOR"},     {MPI_BAND, "BAND"},
    {MPI_BOR, "BOR"},   {MPI_BXOR, "BXOR"}, {MPI_MINLOC, "MINLOC"}, {MPI_MAXLOC, "MAXLOC"}};

bool allowed(const std::string& op, Group group) {
  const bool integer = group == c_integers || group == fortran_integers || group == multi_language || group == text;
  if (op == "MAX" || op == "MIN") return integer || group == floating;
  if (op == "SUM" || op == "PROD") return integer || group == floating || group == complexes;
  if (op[0] == 'L') return group == c_integers || group == logicals || group == multi_language || group == text;
  if (op[0] == 'B') return integer || group == bytes;
  return false;  // MINLOC and MAXLOC take pairs
}

std::mt19937_64 random_bits(7);

template <class T>
T random_value() {
  if constexpr (std::is_same_v<T, bool>) {
    return random_bits() & 1;
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(static_cast<std::int64_t>(random_bits() % 2001) - 1000) / 8;
  } else if constexpr (std::is_integral_v<T> || sizeof(T) == 16) {
    return static_cast<T>(random_bits() % 5 == 0 ? random_bits() : random_bits() % 4);  // zero often, and large ones
  } else {
    return T(random_value<typename T::value_type>(), random_value<typename T::value_type>());
  }
}

template <class T>
constexpr bool is_complex = false;
template <class T>
constexpr bool is_complex<std::complex<T>> = true;

// One element, by the standard's words.
template <class T>
T reference(const std::string& op, T a, T b) {
  if constexpr (is_complex<T>) {
    // The product in its textbook form: values are chosen so that it is exact.
    return op == "SUM" ? a + b
                       : T(a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real());
  } else {
    if (op == "MAX") return b < a ? a : b;
    if (op == "MIN") return a < b ? a : b;
    if (op == "LAND") return static_cast<T>(a != T(0) && b != T(0));
    if (op == "LOR") return static_cast<T>(a != T(0) || b != T(0));
    if (op == "LXOR") return static_cast<T>((a != T(0)) != (b != T(0)));
    if constexpr (std::is_floating_point_v<T> || std::is_same_v<T, Quad>) {
      return op == "SUM" ? a + b : a * b;
    } else {
      const auto x = static_cast<Uint128>(a), y = static_cast<Uint128>(b);
      if (op == "SUM") return static_cast<T>(x + y);
      if (op == "PROD") return static_cast<T>(x * y);
      if (op == "BAND") return static_cast<T>(x & y);
      if (op == "BOR") return static_cast<T>(x | y);
      return static_cast<T>(x ^ y);
    }
  }
}

template <class T>
bool equal(T a, T b) {
  return a == b || (a != a && b != b);
}

template <class T>
void check_type(MPI_Datatype handle, Group group) {
  Datatype& type = *find(handle);
  SCOPED_TRACE(type.name);
  ASSERT_EQ(type.size, static_cast<MPI_Count>(sizeof(T)));
  ASSERT_EQ(type.extent, static_cast<MPI_Aint>(sizeof(T)));
  for (const auto& [op_handle, name] : operations) {
    SCOPED_TRACE(name);
    Op& op = *find(op_handle);
    EXPECT_TRUE(op.commutative);
    const Error error = check_op(op, type);
    ASSERT_EQ(!error, allowed(name, group)) << last_failure();
    if (error) {
      EXPECT_EQ(error.code(), MPI_ERR_OP);
      EXPECT_NE(std::string(last_failure()).find(type.name), std::string::npos) << last_failure();
      EXPECT_NE(std::string(last_failure()).find("MPI_" + name), std::string::npos) << last_failure();
      EXPECT_TRUE(reduce_local(op, type, nullptr, nullptr, 0));
      continue;
    }
    for (const int count : {0, 1, 2, 3, 7, 16, 33, 100}) {
      auto in = std::make_unique<T[]>(count + 1), inout = std::make_unique<T[]>(count + 1);
      auto expected = std::make_unique<T[]>(count + 1);
      for (int i = 0; i <= count; ++i) {
        in[i] = random_value<T>();
        expected[i] = inout[i] = random_value<T>();
        if (i < count) expected[i] = reference<T>(name, in[i], inout[i]);
      }
      ASSERT_FALSE(reduce_local(op, type, in.get(), inout.get(), count));
      for (int i = 0; i <= count; ++i) ASSERT_TRUE(equal(inout[i], expected[i])) << "element " << i << " of " << count;
    }
  }
}

class Operations : public testing::Test {
 protected:
  static void SetUpTestSuite() { register_predefined(); }
};

TEST_F(Operations, OnCIntegers) {
  check_type<signed char>(MPI_SIGNED_CHAR, c_integers);
  check_type<unsigned char>(MPI_UNSIGNED_CHAR, c_integers);
  check_type<short>(MPI_SHORT, c_integers);
  check_type<unsigned short>(MPI_UNSIGNED_SHORT, c_integers);
  check_type<int>(MPI_INT, c_integers);
  check_type<unsigned>(MPI_UNSIGNED, c_integers);
  check_type<long>(MPI_LONG, c_integers);
  check_type<unsigned long>(MPI_UNSIGNED_LONG, c_integers);
  check_type<long long>(MPI_LONG_LONG, c_integers);
  check_type<unsigned long long>(MPI_UNSIGNED_LONG_LONG, c_integers);
  check_type<std::int8_t>(MPI_INT8_T, c_integers);
  check_type<std::int16_t>(MPI_INT16_T, c_integers);
  check_type<std::int32_t>(MPI_INT32_T, c_integers);
  check_type<std::int64_t>(MPI_INT64_T, c_integers);
  check_type<std::uint8_t>(MPI_UINT8_T, c_integers);
  check_type<std::uint16_t>(MPI_UINT16_T, c_integers);
  check_type<std::uint32_t>(MPI_UINT32_T, c_integers);
  check_type<std::uint64_t>(MPI_UINT64_T, c_integers);
}

TEST_F(Operations, OnFortranIntegers) {
  check_type<std::int32_t>(MPI_INTEGER, fortran_integers);
  check_type<std::int8_t>(MPI_INTEGER1, fortran_integers);
  check_type<std::int16_t>(MPI_INTEGER2, fortran_integers);
  check_type<std::int32_t>(MPI_INTEGER4, fortran_integers);
  check_type<std::int64_t>(MPI_INTEGER8, fortran_integers);
  check_type<Int128>(MPI_INTEGER16, fortran_integers);
}

TEST_F(Operations, OnTypesOfSeveralLanguages) {
  check_type<MPI_Aint>(MPI_AINT, multi_language);
  check_type<MPI_Offset>(MPI_OFFSET, multi_language);
  check_type<MPI_Count>(MPI_COUNT, multi_language);
}

TEST_F(Operations, OnFloatingPoint) {
  check_type<float>(MPI_FLOAT, floating);
  check_type<double>(MPI_DOUBLE, floating);
  check_type<long double>(MPI_LONG_DOUBLE, floating);
  check_type<float>(MPI_REAL, floating);
  check_type<double>(MPI_DOUBLE_PRECISION, floating);
  check_type<float>(MPI_REAL4, floating);
  check_type<double>(MPI_REAL8, floating);
  check_type<Quad>(MPI_REAL16, floating);
}

TEST_F(Operations, OnComplex) {
  check_type<std::complex<float>>(MPI_C_FLOAT_COMPLEX, complexes);
  check_type<std::complex<double>>(MPI_C_DOUBLE_COMPLEX, complexes);
  check_type<std::complex<long double>>(MPI_C_LONG_DOUBLE_COMPLEX, complexes);
  check_type<std::complex<float>>(MPI_CXX_FLOAT_COMPLEX, complexes);
  check_type<std::complex<double>>(MPI_CXX_DOUBLE_COMPLEX, complexes);
  check_type<std::complex<long double>>(MPI_CXX_LONG_DOUBLE_COMPLEX, complexes);
  check_type<std::complex<float>>(MPI_COMPLEX, complexes);
  check_type<std::complex<double>>(MPI_DOUBLE_COMPLEX, complexes);
  check_type<std::complex<float>>(MPI_COMPLEX8, complexes);
  check_type<std::complex<double>>(MPI_COMPLEX16, complexes);
}

TEST_F(Operations, OnLogicalTypes) {
  check_type<bool>(MPI_C_BOOL, logicals);
  check_type<bool>(MPI_CXX_BOOL, logicals);
  check_type<std::int32_t>(MPI_LOGICAL, logicals);
  check_type<std::int8_t>(MPI_LOGICAL1, logicals);
  check_type<std::int16_t>(MPI_LOGICAL2, logicals);
  check_type<std::int32_t>(MPI_LOGICAL4, logicals);
  check_type<std::int64_t>(MPI_LOGICAL8, logicals);
  check_type<Int128>(MPI_LOGICAL16, logicals);
}

TEST_F(Operations, OnBytesAndCharacters) {
  check_type<unsigned char>(MPI_BYTE, bytes);
  check_type<char>(MPI_CHAR, text);
  check_type<char>(MPI_CHARACTER, text);
  check_type<char>(MPI_PACKED, none);
  check_type<wchar_t>(MPI_WCHAR, none);
}

TEST_F(Operations, FortransTruthIsData) {
  const FortranFacts before = fortran_facts;
  fortran_facts.logical_true = -1;
  const std::int32_t in[] = {-1, -1, 0, 0, 5};
  std::int32_t inout[] = {-1, 0, -1, 0, 0};
  ASSERT_FALSE(reduce_local(*find(MPI_LOR), *find(MPI_LOGICAL), in, inout, 5));
  const std::int32_t expected[] = {-1, -1, -1, 0, -1};
  EXPECT_EQ(std::memcmp(inout, expected, sizeof inout), 0);
  fortran_facts = before;
}

// MINLOC and MAXLOC for one pair type.
template <class Value, class Index>
void check_pair(Datatype& type) {
  struct Pair {
    Value value;
    Index index;
  };
  SCOPED_TRACE(describe(type));
  ASSERT_EQ(type.extent, static_cast<MPI_Aint>(sizeof(Pair)));
  ASSERT_EQ(type.size, static_cast<MPI_Count>(sizeof(Value) + sizeof(Index)));
  for (const bool greatest : {false, true}) {
    constexpr int count = 64;
    Pair in[count], inout[count], expected[count];
    for (int i = 0; i < count; ++i) {
      in[i] = {static_cast<Value>(random_bits() % 3), static_cast<Index>(random_bits() % 3)};
      inout[i] = {static_cast<Value>(random_bits() % 3), static_cast<Index>(random_bits() % 3)};
      const Pair &a = in[i], &b = inout[i];
      if (a.value == b.value)
        expected[i] = {a.value, a.index < b.index ? a.index : b.index};
      else
        expected[i] = (a.value < b.value) != greatest ? a : b;
    }
    ASSERT_FALSE(reduce_local(*find(greatest ? MPI_MAXLOC : MPI_MINLOC), type, in, inout, count));
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(inout[i].value == expected[i].value) << i;
      ASSERT_TRUE(inout[i].index == expected[i].index) << i;
    }
  }
  for (const auto& [op, name] : operations)
    EXPECT_EQ(!check_op(*find(op), type), name == "MINLOC" || name == "MAXLOC") << name;
}

TEST_F(Operations, LocationsInNamedPairs) {
  check_pair<float, int>(*find(MPI_FLOAT_INT));
  check_pair<double, int>(*find(MPI_DOUBLE_INT));
  check_pair<long, int>(*find(MPI_LONG_INT));
  check_pair<int, int>(*find(MPI_2INT));
  check_pair<short, int>(*find(MPI_SHORT_INT));
  check_pair<long double, int>(*find(MPI_LONG_DOUBLE_INT));
  check_pair<float, float>(*find(MPI_2REAL));
  check_pair<double, double>(*find(MPI_2DOUBLE_PRECISION));
  check_pair<int, int>(*find(MPI_2INTEGER));
}

TEST_F(Operations, LocationsInPairsMadeOfTwoTypes) {
  const auto pair = [](MPI_Datatype value, MPI_Datatype index) -> Datatype& {
    return *find_value_index(*find(value), *find(index));
  };
  EXPECT_EQ(&pair(MPI_DOUBLE, MPI_INT), find(MPI_DOUBLE_INT));
  EXPECT_EQ(&pair(MPI_DOUBLE, MPI_LONG), &pair(MPI_DOUBLE, MPI_LONG));
  check_pair<double, long>(pair(MPI_DOUBLE, MPI_LONG));
  check_pair<std::int8_t, std::int64_t>(pair(MPI_INT8_T, MPI_INT64_T));
  check_pair<std::uint64_t, std::uint8_t>(pair(MPI_UINT64_T, MPI_UINT8_T));
  check_pair<float, MPI_Count>(pair(MPI_FLOAT, MPI_COUNT));
  check_pair<std::uint16_t, std::uint16_t>(pair(MPI_UINT16_T, MPI_UINT16_T));
  check_pair<std::uint32_t, std::uint64_t>(pair(MPI_UNSIGNED, MPI_UINT64_T));
  check_pair<long double, std::uint32_t>(pair(MPI_LONG_DOUBLE, MPI_UINT32_T));
  check_pair<Quad, std::int16_t>(pair(MPI_REAL16, MPI_INT16_T));
  check_pair<Int128, std::int32_t>(pair(MPI_INTEGER16, MPI_INT32_T));
  EXPECT_EQ(find_value_index(*find(MPI_C_BOOL), *find(MPI_INT)), nullptr);
  EXPECT_EQ(find_value_index(*find(MPI_DOUBLE), *find(MPI_DOUBLE)), nullptr);
  EXPECT_EQ(find_value_index(*find(MPI_C_DOUBLE_COMPLEX), *find(MPI_INT)), nullptr);
}

// ---- half precision

TEST(HalfPrecision, EveryValueSurvivesTheWayThroughFloat) {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const float value = half_to_float(static_cast<std::uint16_t>(bits));
    const std::uint16_t back = float_to_half(value);
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(half_to_float(back))) << bits;
    else
      ASSERT_EQ(back, bits);
  }
}

TEST(HalfPrecision, RoundsToTheNearestTiesToEven) {
  std::mt19937 random(3);
  for (int i = 0; i < 200'000; ++i) {
    const auto bits = static_cast<std::uint16_t>(random() % 0x7bff);  // with a finite successor
    const double low = half_to_float(bits), high = half_to_float(static_cast<std::uint16_t>(bits + 1));
    const auto value = static_cast<float>(low + (high - low) * (random() % 65) / 64.0);
    const double below = value - low, above = high - value;
    const bool up = below > above || (below == above && (bits & 1));
    ASSERT_EQ(float_to_half(value), bits + (up ? 1 : 0)) << value;
    ASSERT_EQ(float_to_half(-value), (bits + (up ? 1 : 0)) | 0x8000) << value;
  }
  EXPECT_EQ(float_to_half(65519.0F), 0x7bff);
  EXPECT_EQ(float_to_half(65520.0F), 0x7c00);
  EXPECT_EQ(float_to_half(1e30F), 0x7c00);
  EXPECT_EQ(float_to_half(1e-30F), 0);
}

TEST_F(Operations, OnHalfPrecision) {
  const auto run = [](MPI_Op op, float a, float b) {
    const std::uint16_t in = float_to_half(a);
    std::uint16_t inout = float_to_half(b);
    EXPECT_FALSE(reduce_local(*find(op), *find(MPI_REAL2), &in, &inout, 1));
    return half_to_float(inout);
  };
  EXPECT_EQ(run(MPI_SUM, 1.5F, 2.25F), 3.75F);
  EXPECT_EQ(run(MPI_PROD, 1.5F, -2.25F), -3.375F);
  EXPECT_EQ(run(MPI_MAX, 1.5F, -2.25F), 1.5F);
  EXPECT_EQ(run(MPI_MIN, 1.5F, -2.25F), -2.25F);
  const std::uint16_t in[] = {float_to_half(1), float_to_half(2)};
  std::uint16_t inout[] = {float_to_half(3), float_to_half(4)};
  EXPECT_FALSE(reduce_local(*find(MPI_PROD), *find(MPI_COMPLEX4), in, inout, 1));
  EXPECT_EQ(half_to_float(inout[0]), -5);
  EXPECT_EQ(half_to_float(inout[1]), 10);
}

TEST_F(Operations, OnQuadrupleComplex) {
  const Quad in[] = {1, 2};
  Quad inout[] = {3, 4};
  EXPECT_FALSE(reduce_local(*find(MPI_PROD), *find(MPI_COMPLEX32), in, inout, 1));
  EXPECT_TRUE(inout[0] == -5 && inout[1] == 10);
}

// ---- the program's own operations

int calls = 0;
MPI_Count counted = 0;

void add_doubles(void* in, void* inout, int* count, MPI_Datatype* type) {
  ++calls;
  counted += *count;
  EXPECT_EQ(*type, MPI_DOUBLE);
  for (int i = 0; i < *count; ++i) static_cast<double*>(inout)[i] += static_cast<double*>(in)[i];
}

void count_only(void*, void*, int* count, MPI_Datatype*) {
  ++calls;
  EXPECT_GT(*count, 0);
  counted += *count;
}

void count_large(void*, void*, MPI_Count* count, MPI_Datatype*) {
  ++calls;
  counted += *count;
}

TEST_F(Operations, OfTheProgram) {
  Op* op;
  ASSERT_FALSE(create_op(call_c_op, reinterpret_cast<void*>(add_doubles), false, op));
  EXPECT_FALSE(op->commutative);
  EXPECT_FALSE(check_op(*op, *find(MPI_DOUBLE)));
  const double in[] = {1, 2, 3};
  double inout[] = {10, 20, 30};
  ASSERT_FALSE(reduce_local(*op, *find(MPI_DOUBLE), in, inout, 3));
  EXPECT_EQ(inout[0], 11);
  EXPECT_EQ(inout[2], 33);
  table<Op>().erase(*op);
  release(*op);
}

TEST_F(Operations, OfTheProgramWithMoreElementsThanAnIntCounts) {
  Op *small, *large;
  ASSERT_FALSE(create_op(call_c_op, reinterpret_cast<void*>(count_only), true, small));
  ASSERT_FALSE(create_op(call_c_op_large, reinterpret_cast<void*>(count_large), true, large));
  const MPI_Count many = (MPI_Count{1} << 32) + 5;
  for (Op* op : {small, large}) {
    calls = 0;
    counted = 0;
    ASSERT_FALSE(reduce_local(*op, *find(MPI_BYTE), nullptr, nullptr, many));
    EXPECT_EQ(counted, many);
    EXPECT_EQ(calls, op == small ? 5 : 1);
    table<Op>().erase(*op);
    release(*op);
  }
}

TEST_F(Operations, OfWindowsAreRefused) {
  for (const MPI_Op op : {MPI_REPLACE, MPI_NO_OP}) {
    EXPECT_EQ(check_op(*find(op), *find(MPI_INT)).code(), MPI_ERR_OP);
    EXPECT_FALSE(find(op)->commutative);
    ASSERT_NE(find(op)->select(*find(MPI_INT)), nullptr);
  }
  int in = 3, inout = 4;
  find(MPI_NO_OP)->select (*find(MPI_INT))(&in, &inout, 1);
  EXPECT_EQ(inout, 4);
  find(MPI_REPLACE)->select (*find(MPI_INT))(&in, &inout, 1);
  EXPECT_EQ(inout, 3);
}

TEST_F(Operations, PredefinedOnesRefuseDerivedTypes) {
  Datatype* type;
  ASSERT_FALSE(make_contiguous(2, *find(MPI_INT), false, type));
  commit(*type);
  int in[2] = {}, inout[2] = {};
  EXPECT_EQ(reduce_local(*find(MPI_SUM), *type, in, inout, 1).code(), MPI_ERR_OP);
  EXPECT_STREQ(last_failure(), "MPI_SUM works on predefined datatypes only, not on a derived datatype");
  release(*type);
}

}  // namespace
}  // namespace cow::test
