// Packing by the program, and counting what was received.
#include <climits>
#include <cstring>
#include <vector>

#include "refuse.hpp"

namespace cow::test {
namespace {

using Packing = Returning;

TEST_F(Packing, GoesThereAndBack) {
  const int numbers[] = {1, 2, 3, 4, 5};
  const double real = 2.5;
  MPI_Datatype every_second;
  ASSERT_OK(MPI_Type_vector(3, 1, 2, MPI_INT, &every_second));
  ASSERT_OK(MPI_Type_commit(&every_second));
  int size, position = 0;
  ASSERT_OK(MPI_Pack_size(1, every_second, MPI_COMM_WORLD, &size));
  EXPECT_EQ(size, 12);
  char packed[64];
  ASSERT_OK(MPI_Pack(numbers, 1, every_second, packed, sizeof packed, &position, MPI_COMM_WORLD));
  ASSERT_OK(MPI_Pack(&real, 1, MPI_DOUBLE, packed, sizeof packed, &position, MPI_COMM_WORLD));
  EXPECT_EQ(position, 20);
  int back[5] = {};
  double real_back = 0;
  MPI_Count large_position = 0;
  ASSERT_OK(MPI_Unpack_c(packed, 20, &large_position, back, 1, every_second, MPI_COMM_WORLD));
  position = static_cast<int>(large_position);
  ASSERT_OK(MPI_Unpack(packed, 20, &position, &real_back, 1, MPI_DOUBLE, MPI_COMM_WORLD));
  EXPECT_EQ(std::vector<int>(back, back + 5), (std::vector<int>{1, 0, 3, 0, 5}));
  EXPECT_EQ(real_back, 2.5);
  MPI_Count large;
  ASSERT_OK(MPI_Pack_size_c(MPI_Count{1} << 40, every_second, MPI_COMM_WORLD, &large));
  EXPECT_EQ(large, MPI_Count{12} << 40);
  ASSERT_OK(MPI_Pack_size(INT_MAX, every_second, MPI_COMM_WORLD, &size));
  EXPECT_EQ(size, MPI_UNDEFINED);
  EXPECT_OK(MPI_Type_free(&every_second));
}

TEST_F(Packing, IsRefused) {
  int number = 1, position = 0, size;
  char packed[8];
  MPI_Datatype raw;
  ASSERT_OK(MPI_Type_contiguous(1, MPI_INT, &raw));
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Pack(&number, 1, raw, packed, 8, &position, MPI_COMM_WORLD));
  EXPECT_REFUSED(MPI_ERR_TRUNCATE, MPI_Pack(&number, 3, MPI_INT, packed, 8, &position, MPI_COMM_WORLD));
  EXPECT_REFUSED(MPI_ERR_COUNT, MPI_Pack(&number, -1, MPI_INT, packed, 8, &position, MPI_COMM_WORLD));
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Pack(&number, 1, MPI_INT, packed, 8, &position, MPI_COMM_NULL));
  EXPECT_REFUSED(MPI_ERR_COUNT, MPI_Pack_size(-1, MPI_INT, MPI_COMM_WORLD, &size));
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Pack_size(1, MPI_DATATYPE_NULL, MPI_COMM_WORLD, &size));
  EXPECT_REFUSED(MPI_ERR_TRUNCATE, MPI_Unpack(packed, 3, &position, &number, 1, MPI_INT, MPI_COMM_WORLD));
  EXPECT_REFUSED(MPI_ERR_COUNT, MPI_Unpack(packed, 8, &position, &number, -1, MPI_INT, MPI_COMM_WORLD));
  position = 9;
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Unpack(packed, 8, &position, &number, 1, MPI_INT, MPI_COMM_WORLD));
  EXPECT_EQ(position, 9);
  EXPECT_OK(MPI_Type_free(&raw));
}

// One value and its bytes by the standard.
template <class T>
void check_external(MPI_Datatype type, T value, const std::vector<unsigned char>& expected) {
  MPI_Aint size, position = 0;
  ASSERT_OK(MPI_Pack_external_size("external32", 1, type, &size));
  ASSERT_EQ(size, static_cast<MPI_Aint>(expected.size()));
  std::vector<unsigned char> bytes(size);
  ASSERT_OK(MPI_Pack_external("external32", &value, 1, type, bytes.data(), size, &position));
  EXPECT_EQ(position, size);
  EXPECT_EQ(bytes, expected);
  T back{};
  position = 0;
  ASSERT_OK(MPI_Unpack_external("external32", bytes.data(), size, &position, &back, 1, type));
  EXPECT_EQ(back, value);
}

TEST_F(Packing, External32) {
  check_external<int>(MPI_INT, 0x01020304, {1, 2, 3, 4});
  check_external<short>(MPI_SHORT, -2, {0xff, 0xfe});
  check_external<long>(MPI_LONG, -2, {0xff, 0xff, 0xff, 0xfe});
  check_external<unsigned long>(MPI_UNSIGNED_LONG, 0xfffffffe, {0xff, 0xff, 0xff, 0xfe});
  check_external<long long>(MPI_LONG_LONG, 258, {0, 0, 0, 0, 0, 0, 1, 2});
  check_external<double>(MPI_DOUBLE, 1.0, {0x3f, 0xf0, 0, 0, 0, 0, 0, 0});
  check_external<float>(MPI_FLOAT, -2.0F, {0xc0, 0, 0, 0});
  check_external<long double>(MPI_LONG_DOUBLE, 1.5L, {0x3f, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  check_external<char>(MPI_CHAR, 'x', {'x'});
  check_external<wchar_t>(MPI_WCHAR, L'é', {0, 0xe9});
  check_external<bool>(MPI_C_BOOL, true, {1});
  check_external<bool>(MPI_CXX_BOOL, true, {1});
  check_external<MPI_Aint>(MPI_AINT, 3, {0, 0, 0, 0, 0, 0, 0, 3});
}

// The standard's table of sizes.
TEST_F(Packing, External32Sizes) {
  const std::vector<std::pair<int, std::vector<MPI_Datatype>>> table = {
      {1,
       {MPI_PACKED, MPI_BYTE, MPI_CHAR, MPI_UNSIGNED_CHAR, MPI_SIGNED_CHAR, MPI_C_BOOL, MPI_CXX_BOOL, MPI_INT8_T,
        MPI_UINT8_T, MPI_CHARACTER, MPI_LOGICAL1, MPI_INTEGER1}},
      {2, {MPI_WCHAR, MPI_SHORT, MPI_UNSIGNED_SHORT, MPI_INT16_T, MPI_UINT16_T, MPI_LOGICAL2, MPI_INTEGER2, MPI_REAL2}},
      {4,
       {MPI_INT, MPI_LONG, MPI_UNSIGNED, MPI_UNSIGNED_LONG, MPI_FLOAT, MPI_INT32_T, MPI_UINT32_T, MPI_LOGICAL,
        MPI_INTEGER, MPI_REAL, MPI_LOGICAL4, MPI_INTEGER4, MPI_REAL4, MPI_COMPLEX4}},
      {8,
       {MPI_LONG_LONG,
        MPI_LONG_LONG_INT,
        MPI_UNSIGNED_LONG_LONG,
        MPI_DOUBLE,
        MPI_INT64_T,
        MPI_UINT64_T,
        MPI_AINT,
        MPI_COUNT,
        MPI_OFFSET,
        MPI_C_COMPLEX,
        MPI_C_FLOAT_COMPLEX,
        MPI_CXX_FLOAT_COMPLEX,
        MPI_DOUBLE_PRECISION,
        MPI_COMPLEX,
        MPI_LOGICAL8,
        MPI_INTEGER8,
        MPI_REAL8,
        MPI_COMPLEX8,
        MPI_2INT,
        MPI_2REAL,
        MPI_2INTEGER,
        MPI_FLOAT_INT,
        MPI_LONG_INT}},
      {16,
       {MPI_LONG_DOUBLE, MPI_C_DOUBLE_COMPLEX, MPI_CXX_DOUBLE_COMPLEX, MPI_DOUBLE_COMPLEX, MPI_LOGICAL16, MPI_INTEGER16,
        MPI_REAL16, MPI_COMPLEX16, MPI_2DOUBLE_PRECISION}},
      {32, {MPI_C_LONG_DOUBLE_COMPLEX, MPI_CXX_LONG_DOUBLE_COMPLEX, MPI_COMPLEX32}},
      {6, {MPI_SHORT_INT}},
      {12, {MPI_DOUBLE_INT}},
      {20, {MPI_LONG_DOUBLE_INT}}};
  for (const auto& [expected, types] : table)
    for (const MPI_Datatype type : types) {
      char name[MPI_MAX_OBJECT_NAME];
      int length;
      ASSERT_OK(MPI_Type_get_name(type, name, &length));
      MPI_Aint size = -1;
      ASSERT_OK(MPI_Pack_external_size("external32", 3, type, &size));
      EXPECT_EQ(size, 3 * expected) << name;
    }
}

// Fortran's logical values of each length.
TEST_F(Packing, External32OfLogicals) {
  check_external<std::int8_t>(MPI_LOGICAL1, 1, {1});
  check_external<std::int16_t>(MPI_LOGICAL2, 1, {0, 1});
  check_external<std::int32_t>(MPI_LOGICAL, 1, {0, 0, 0, 1});
  check_external<std::int64_t>(MPI_LOGICAL8, 1, {0, 0, 0, 0, 0, 0, 0, 1});
}

TEST_F(Packing, External32OfDerivedTypes) {
  struct Item {
    short tag;
    double values[2];
  };
  const int lengths[] = {1, 2};
  const MPI_Aint places[] = {0, 8};
  const MPI_Datatype types[] = {MPI_SHORT, MPI_DOUBLE};
  MPI_Datatype item;
  ASSERT_OK(MPI_Type_create_struct(2, lengths, places, types, &item));
  ASSERT_OK(MPI_Type_commit(&item));
  const Item items[] = {{1, {1, 2}}, {2, {3, 4}}};
  Item back[2] = {};
  MPI_Count size, position = 0;
  ASSERT_OK(MPI_Pack_external_size_c("external32", 2, item, &size));
  ASSERT_EQ(size, 36);
  std::vector<unsigned char> bytes(size);
  ASSERT_OK(MPI_Pack_external_c("external32", items, 2, item, bytes.data(), size, &position));
  EXPECT_EQ((std::vector<unsigned char>(bytes.begin() + 18, bytes.begin() + 24)),
            (std::vector<unsigned char>{0, 2, 0x40, 0x08, 0, 0}));
  position = 0;
  ASSERT_OK(MPI_Unpack_external_c("external32", bytes.data(), size, &position, back, 2, item));
  EXPECT_EQ(position, size);
  EXPECT_EQ(back[1].tag, 2);
  EXPECT_EQ(back[1].values[1], 4);
  EXPECT_OK(MPI_Type_free(&item));
}

TEST_F(Packing, External32IsRefused) {
  long large = 1L << 40;
  unsigned char bytes[16];
  MPI_Aint position = 0, size;
  EXPECT_REFUSED(MPI_ERR_CONVERSION, MPI_Pack_external("external32", &large, 1, MPI_LONG, bytes, 16, &position));
  EXPECT_EQ(position, 0);
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Pack_external("internal", &large, 1, MPI_LONG, bytes, 16, &position));
  EXPECT_REFUSED(MPI_ERR_TRUNCATE, MPI_Pack_external("external32", &large, 1, MPI_LONG, bytes, 3, &position));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Pack_external_size("native", 1, MPI_LONG, &size));
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Pack_external_size("external32", 1, MPI_DATATYPE_NULL, &size));
  EXPECT_REFUSED(MPI_ERR_TRUNCATE, MPI_Unpack_external("external32", bytes, 3, &position, &large, 1, MPI_LONG));
}

TEST_F(Packing, CountingElements) {
  MPI_Datatype pair;  // an int and a double
  const int lengths[] = {1, 1};
  const MPI_Aint places[] = {0, 8};
  const MPI_Datatype types[] = {MPI_INT, MPI_DOUBLE};
  ASSERT_OK(MPI_Type_create_struct(2, lengths, places, types, &pair));
  ASSERT_OK(MPI_Type_commit(&pair));
  MPI_Status status{};
  int count, elements;
  MPI_Count large;
  ASSERT_OK(MPI_Status_set_elements(&status, pair, 5));
  ASSERT_OK(MPI_Get_elements(&status, pair, &elements));
  EXPECT_EQ(elements, 5);
  ASSERT_OK(MPI_Get_count(&status, pair, &count));
  EXPECT_EQ(count, MPI_UNDEFINED);
  ASSERT_OK(MPI_Get_count(&status, MPI_BYTE, &count));
  EXPECT_EQ(count, 2 * 12 + 4);
  ASSERT_OK(MPI_Status_set_elements_x(&status, pair, MPI_Count{1} << 33));
  ASSERT_OK(MPI_Get_elements_x(&status, pair, &large));
  EXPECT_EQ(large, MPI_Count{1} << 33);
  ASSERT_OK(MPI_Get_elements(&status, pair, &elements));
  EXPECT_EQ(elements, MPI_UNDEFINED);
  ASSERT_OK(MPI_Get_count_c(&status, pair, &large));
  EXPECT_EQ(large, MPI_Count{1} << 32);
  ASSERT_OK(MPI_Get_count(&status, pair, &count));
  EXPECT_EQ(count, MPI_UNDEFINED);
  ASSERT_OK(MPI_Status_set_elements_c(&status, MPI_DOUBLE, 3));
  ASSERT_OK(MPI_Get_elements_c(&status, MPI_DOUBLE_INT, &large));
  EXPECT_EQ(large, 4);  // 24 bytes are two pairs
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Get_count(&status, MPI_DATATYPE_NULL, &count));
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Get_elements(&status, MPI_DATATYPE_NULL, &count));
  EXPECT_REFUSED(MPI_ERR_COUNT, MPI_Status_set_elements(&status, MPI_INT, -1));
  EXPECT_OK(MPI_Type_free(&pair));
}

}  // namespace
}  // namespace cow::test
