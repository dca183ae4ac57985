// What the tests of refused calls share.
#pragma once

#include <gtest/gtest.h>
#include <mpi.h>

#include <string>

namespace cow::test {

// Errors return in the tests of this fixture.
class Returning : public testing::Test {
 protected:
  void SetUp() override {
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  }
};

inline std::string text_of(int code) {
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  return {text, static_cast<std::size_t>(length)};
}

inline int class_of(int code) {
  int error_class = -1;
  MPI_Error_class(code, &error_class);
  return error_class;
}

// A handle that no object has.
template <class Handle>
Handle made_up() {
  return reinterpret_cast<Handle>(std::uintptr_t{0x123400005678});
}

}  // namespace cow::test

#define EXPECT_OK(call) EXPECT_EQ(call, MPI_SUCCESS)
#define ASSERT_OK(call) ASSERT_EQ(call, MPI_SUCCESS)

// The call fails with the class, and its message names the function.
#define EXPECT_REFUSED(error_class, call)                                                             \
  do {                                                                                                \
    const int code_ = (call);                                                                         \
    EXPECT_EQ(cow::test::class_of(code_), error_class) << #call << ": " << cow::test::text_of(code_); \
    const std::string name_ = std::string(#call).substr(0, std::string(#call).find('('));             \
    EXPECT_NE(cow::test::text_of(code_).find(name_), std::string::npos) << cow::test::text_of(code_); \
  } while (false)
