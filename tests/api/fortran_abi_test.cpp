// What a Fortran binding tells the library: sizes and logical values, once.
#include <cstdint>
#include <cstring>

#include "objects/refuse.hpp"

namespace {

class Fortran : public cow::test::Returning {};

std::string value_of(MPI_Info info, const char* key) {
  char text[MPI_MAX_INFO_VAL] = "";
  int size = sizeof text, flag = 0;
  MPI_Info_get_string(info, key, &size, text, &flag);
  return flag ? text : "(none)";
}

void expect_size(MPI_Datatype type, int expected) {
  int size = 0;
  EXPECT_OK(MPI_Type_size(type, &size));
  EXPECT_EQ(size, expected);
}

void nothing_is_set() {
  int is_set = -1;
  std::int64_t yes = -7, no = -7;
  EXPECT_OK(MPI_Abi_get_fortran_booleans(4, &yes, &no, &is_set));
  EXPECT_EQ(is_set, 0);
  MPI_Info info = MPI_INFO_ENV;
  EXPECT_OK(MPI_Abi_get_fortran_info(&info));
  EXPECT_EQ(info, MPI_INFO_NULL);
}

void types_are_as_long_as_told() {
  for (MPI_Datatype type : {MPI_LOGICAL, MPI_INTEGER, MPI_REAL, MPI_DOUBLE_PRECISION}) expect_size(type, 8);
  expect_size(MPI_COMPLEX, 16);
  expect_size(MPI_2INTEGER, 16);
  const std::int64_t one[2] = {3, 5};
  std::int64_t sum[2] = {10, 20};
  EXPECT_OK(MPI_Reduce_local(one, sum, 2, MPI_INTEGER, MPI_SUM));
  EXPECT_EQ(sum[0], 13);
  EXPECT_EQ(sum[1], 25);
}

void sizes_are_set_once() {
  MPI_Info info, got;
  ASSERT_OK(MPI_Info_create(&info));
  ASSERT_OK(MPI_Info_set(info, "mpi_logical_size", "3"));
  EXPECT_REFUSED(MPI_ERR_INFO_VALUE, MPI_Abi_set_fortran_info(info));
  ASSERT_OK(MPI_Info_set(info, "mpi_logical_size", "8"));
  ASSERT_OK(MPI_Info_set(info, "mpi_integer_size", "8"));
  ASSERT_OK(MPI_Info_set(info, "mpi_real_size", "8"));
  EXPECT_OK(MPI_Abi_set_fortran_info(info));
  types_are_as_long_as_told();
  EXPECT_OK(MPI_Abi_set_fortran_info(info)) << "the same again";
  ASSERT_OK(MPI_Abi_get_fortran_info(&got));
  EXPECT_EQ(value_of(got, "mpi_logical_size"), "8");
  ASSERT_OK(MPI_Info_free(&got));
  ASSERT_OK(MPI_Info_set(info, "mpi_logical_size", "4"));
  EXPECT_REFUSED(MPI_ERR_ABI, MPI_Abi_set_fortran_info(info));
  ASSERT_OK(MPI_Info_free(&info));
  EXPECT_REFUSED(MPI_ERR_INFO, MPI_Abi_set_fortran_info(MPI_INFO_NULL));
}

void truth_is_set_once() {
  std::int64_t yes = -1, no = 0;
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Abi_set_fortran_booleans(3, &yes, &no));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Abi_set_fortran_booleans(8, nullptr, &no));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Abi_set_fortran_booleans(8, &yes, &yes));
  EXPECT_OK(MPI_Abi_set_fortran_booleans(8, &yes, &no));
  int is_set = -1;
  std::int64_t got_yes = 5, got_no = 5, other = 1;
  EXPECT_OK(MPI_Abi_get_fortran_booleans(8, &got_yes, &got_no, &is_set));
  EXPECT_EQ(is_set, 1);
  EXPECT_EQ(got_yes, -1);
  EXPECT_EQ(got_no, 0);
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Abi_get_fortran_booleans(4, &got_yes, &got_no, &is_set));
  EXPECT_REFUSED(MPI_ERR_ABI, MPI_Abi_set_fortran_booleans(8, &other, &no));
  // A logical sum of the program's own values.
  const std::int64_t left[2] = {0, -1};
  std::int64_t right[2] = {0, 0};
  EXPECT_OK(MPI_Reduce_local(left, right, 2, MPI_LOGICAL, MPI_LOR));
  EXPECT_EQ(right[0], 0);
  EXPECT_EQ(right[1], -1);
}

// One test: what is set stays set for the whole process.
TEST_F(Fortran, FactsAreSetOnce) {
  nothing_is_set();
  sizes_are_set_once();
  truth_is_set_once();
}

TEST_F(Fortran, HardwareResources) {
  MPI_Info info;
  ASSERT_OK(MPI_Get_hw_resource_info(&info));
  EXPECT_EQ(value_of(info, "mpi_shared_memory"), "true");
  int keys = 0;
  EXPECT_OK(MPI_Info_get_nkeys(info, &keys));
  EXPECT_GE(keys, 2) << "hwloc tells at least of the machine";
  for (int i = 0; i < keys; ++i) {
    char key[MPI_MAX_INFO_KEY + 1];
    EXPECT_OK(MPI_Info_get_nthkey(info, i, key));
    const std::string value = value_of(info, key);
    EXPECT_TRUE(value == "true" || value == "false") << key << " " << value;
  }
  EXPECT_OK(MPI_Info_free(&info));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Get_hw_resource_info(nullptr));
}

}  // namespace
