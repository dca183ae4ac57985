// Checks of arguments and the words of their messages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "api/checks.hpp"
#include "api/report.hpp"
#include "api/text.hpp"

namespace cow::api {
namespace {

using testing::HasSubstr;

constexpr char send_signature[] = "MPI_Send b:buf i:count d:datatype r:dest t:tag c:comm";

std::string describe(Word buffer, int count, int dest, int tag, std::size_t size = 768) {
  const Word words[] = {buffer, word(count), word(MPI_INT), word(dest), word(tag), word(MPI_COMM_WORLD)};
  std::string text(size, '?');
  describe_call(send_signature, words, text.data(), size);
  return text.c_str();
}

TEST(DescribeCall, NamesTheArgumentsAsAProgramWritesThem) {
  EXPECT_EQ(describe(0x1234, 4, 7, 1),
            "MPI_Send(buf=0x1234, count=4, datatype=MPI_INT, dest=7, tag=1, comm=MPI_COMM_WORLD)");
  EXPECT_EQ(describe(0, -1, MPI_PROC_NULL, MPI_ANY_TAG),
            "MPI_Send(buf=MPI_BOTTOM, count=-1, datatype=MPI_INT, dest=MPI_PROC_NULL, tag=MPI_ANY_TAG, "
            "comm=MPI_COMM_WORLD)");
  EXPECT_THAT(describe(1, 0, 0, 0), HasSubstr("buf=MPI_IN_PLACE"));
}

TEST(DescribeCall, IsCutWhereTheRoomEnds) {
  for (std::size_t size : {8, 20, 60, 82, 83, 84}) {
    const std::string text = describe(0x1234, 4, 7, 1, size);
    EXPECT_LT(text.size(), size);
    EXPECT_EQ(text.substr(0, 3), "MPI");
    if (size < 80) {
      EXPECT_EQ(text.substr(text.size() - 4), "\xE2\x80\xA6)");
    }
  }
}

TEST(DescribeCall, WithoutArguments) {
  char text[64];
  describe_call("MPI_Finalize", nullptr, text, sizeof text);
  EXPECT_STREQ(text, "MPI_Finalize()");
}

TEST(Checks, NegativeCountsAreRefusedAndPointToTheLargeForm) {
  EXPECT_FALSE(check_count(0, "count", Width::small));
  EXPECT_EQ(check_count(-1, "count", Width::small).code(), MPI_ERR_COUNT);
  EXPECT_THAT(last_failure(), HasSubstr("_c form"));
  EXPECT_EQ(check_count(-1, "count", Width::large).code(), MPI_ERR_COUNT);
  EXPECT_THAT(last_failure(), Not(HasSubstr("_c form")));
}

TEST(Checks, ArraysOfCountsSayWhichEntryIsWrong) {
  const int small[] = {1, 0, -3};
  const MPI_Count large[] = {1, MPI_Count{1} << 40, -3};
  EXPECT_FALSE(check_counts(Counts(small), 2, "recvcounts", Width::small));
  EXPECT_EQ(check_counts(Counts(small), 3, "recvcounts", Width::small).code(), MPI_ERR_COUNT);
  EXPECT_THAT(last_failure(), HasSubstr("recvcounts[2] is negative: -3"));
  EXPECT_EQ(check_counts(Counts(large), 3, "recvcounts", Width::large).code(), MPI_ERR_COUNT);
  EXPECT_EQ(check_counts(Counts(nullptr), 1, "recvcounts", Width::small).code(), MPI_ERR_ARG);
}

TEST(Checks, Tags) {
  EXPECT_FALSE(check_tag(0, "tag"));
  EXPECT_FALSE(check_tag(INT32_MAX, "tag"));
  EXPECT_EQ(check_tag(MPI_ANY_TAG, "tag").code(), MPI_ERR_TAG);
  EXPECT_THAT(last_failure(), HasSubstr("receiving only"));
  EXPECT_FALSE(check_any_tag(MPI_ANY_TAG, "tag"));
  EXPECT_EQ(check_any_tag(-1, "tag").code(), MPI_ERR_TAG);
}

TEST(Checks, HandlesSayWhatTheyAre) {
  EXPECT_EQ(bad_handle(MPI_ERR_TYPE, "datatype", 0x200).code(), MPI_ERR_TYPE);
  EXPECT_STREQ(last_failure(), "datatype is MPI_DATATYPE_NULL, where a datatype is needed");
  EXPECT_EQ(bad_handle(MPI_ERR_COMM, "comm", 0x100000400).code(), MPI_ERR_COMM);
  EXPECT_THAT(last_failure(), HasSubstr("is no communicator: it was freed"));
  EXPECT_EQ(bad_handle(MPI_ERR_COMM, "comm", 0x209).code(), MPI_ERR_COMM);
  EXPECT_THAT(last_failure(), HasSubstr("comm is MPI_INT"));
}

TEST(Checks, OutputsThatDoNotFit) {
  int out = 0;
  EXPECT_FALSE(narrow(7, &out, "count"));
  EXPECT_EQ(out, 7);
  EXPECT_EQ(narrow(MPI_Count{1} << 31, &out, "count").code(), MPI_ERR_VALUE_TOO_LARGE);
  EXPECT_EQ(out, 7);
  EXPECT_FALSE(narrow_or_undefined(MPI_Count{1} << 31, &out, "count"));
  EXPECT_EQ(out, MPI_UNDEFINED);
}

TEST(Names, EveryErrorClassHasAText) {
  for (int error_class = MPI_SUCCESS; error_class <= MPI_ERR_ABI; ++error_class)
    EXPECT_NE(class_text(error_class), nullptr) << error_class;
  EXPECT_EQ(class_text(MPI_ERR_ABI + 1), nullptr);
  EXPECT_STREQ(predefined_name(0x101), "MPI_COMM_WORLD");
}

// base/error.hpp repeats the ABI's numbers, since src/base knows nothing of mpi.h.
static_assert(static_cast<int>(ErrorClass::rank) == MPI_ERR_RANK);
static_assert(static_cast<int>(ErrorClass::truncate) == MPI_ERR_TRUNCATE);
static_assert(static_cast<int>(ErrorClass::in_status) == MPI_ERR_IN_STATUS);
static_assert(static_cast<int>(ErrorClass::info) == MPI_ERR_INFO);
static_assert(static_cast<int>(ErrorClass::keyval) == MPI_ERR_KEYVAL);
static_assert(static_cast<int>(ErrorClass::no_mem) == MPI_ERR_NO_MEM);
static_assert(static_cast<int>(ErrorClass::spawn) == MPI_ERR_SPAWN);
static_assert(static_cast<int>(ErrorClass::unsupported_operation) == MPI_ERR_UNSUPPORTED_OPERATION);
static_assert(static_cast<int>(ErrorClass::errhandler) == MPI_ERR_ERRHANDLER);

}  // namespace
}  // namespace cow::api
