// Error classes, codes and strings that a program adds.
#include "api/user_errors.hpp"

#include <gtest/gtest.h>
#include <mpi.h>

namespace cow::api {
namespace {

TEST(UserErrors, CodesBelongToClasses) {
  int error_class = 0, code = 0, found = 0;
  ASSERT_FALSE(add_class(error_class));
  EXPECT_GT(error_class, MPI_ERR_LASTCODE);
  ASSERT_FALSE(add_code(error_class, code));
  EXPECT_EQ(last_used_code(), code);
  ASSERT_FALSE(class_of(code, found));
  EXPECT_EQ(found, error_class);
  EXPECT_EQ(add_code(code, found).code(), MPI_ERR_ARG) << "a code is not a class";
}

TEST(UserErrors, CodesMayBelongToPredefinedClasses) {
  int code = 0, found = 0;
  ASSERT_FALSE(add_code(MPI_ERR_TRUNCATE, code));
  ASSERT_FALSE(class_of(code, found));
  EXPECT_EQ(found, MPI_ERR_TRUNCATE);
}

TEST(UserErrors, PredefinedOnesAreNotChanged) {
  EXPECT_EQ(set_string(MPI_ERR_RANK, "mine").code(), MPI_ERR_ARG);
  EXPECT_EQ(remove_class(MPI_ERR_RANK).code(), MPI_ERR_ARG);
  int found = 0;
  EXPECT_EQ(class_of(15000, found).code(), MPI_ERR_ARG);
}

TEST(UserErrors, AreRemovedFromTheOutsideIn) {
  int error_class = 0, code = 0;
  ASSERT_FALSE(add_class(error_class));
  ASSERT_FALSE(add_code(error_class, code));
  ASSERT_FALSE(set_string(code, "text"));
  EXPECT_TRUE(remove_class(error_class)) << "it still has a code";
  EXPECT_TRUE(remove_code(code)) << "it still has a string";
  EXPECT_FALSE(remove_string(code));
  EXPECT_TRUE(remove_string(code)) << "it has none any more";
  EXPECT_TRUE(remove_code(error_class)) << "it is a class";
  EXPECT_FALSE(remove_code(code));
  EXPECT_FALSE(remove_class(error_class));
  EXPECT_EQ(own_text(code), nullptr);
}

}  // namespace
}  // namespace cow::api
