// Errors as a program sees them that has asked for MPI_ERRORS_RETURN: classes, and what their text says.
#include <gmock/gmock.h>

#include <climits>
#include <string>

#include "support/ranks.hpp"

namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string text_of(int code) {
  char text[MPI_MAX_ERROR_STRING];
  int length = -1;
  EXPECT_EQ(MPI_Error_string(code, text, &length), MPI_SUCCESS);
  EXPECT_EQ(static_cast<int>(std::string(text).size()), length);
  return text;
}

class Border : public testing::Test {
 protected:
  void SetUp() override {
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  }
  void TearDown() override {
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_ARE_FATAL);
    MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL);
  }
  int number = 0;
};

TEST_F(Border, TheTextSaysTheCallItsArgumentsAndWhatIsWrong) {
  const int code = MPI_Send(&number, 1, MPI_INT, ranks::count() + 3, 1, MPI_COMM_WORLD);
  EXPECT_EQ(code, MPI_ERR_RANK);
  const std::string missing = std::to_string(ranks::count() + 3);
  EXPECT_THAT(text_of(code), AllOf(HasSubstr("MPI_ERR_RANK: invalid rank: MPI_Send(buf=0x"),
                                   HasSubstr("count=1, datatype=MPI_INT, dest=" + missing +
                                             ", tag=1, comm=MPI_COMM_WORLD): rank " + missing +
                                             " does not exist: "
                                             "MPI_COMM_WORLD has " +
                                             std::to_string(ranks::count()) + " rank")));
  EXPECT_EQ(text_of(MPI_ERR_TAG), "MPI_ERR_TAG: invalid tag") << "another class has the standard's text alone";
}

TEST_F(Border, CommunicatorsAreNamedAsTheProgramNamedThem) {
  MPI_Comm_set_name(MPI_COMM_SELF, "solver");
  const int code = MPI_Send(&number, 1, MPI_INT, 1, 1, MPI_COMM_SELF);
  EXPECT_EQ(code, MPI_ERR_RANK);
  EXPECT_THAT(text_of(code), AllOf(HasSubstr("comm=solver"), HasSubstr("solver has 1 rank")));
  MPI_Comm_set_name(MPI_COMM_SELF, "MPI_COMM_SELF");
}

TEST_F(Border, ClassesOfWrongArguments) {
  EXPECT_EQ(MPI_Send(&number, -1, MPI_INT, 0, 0, MPI_COMM_WORLD), MPI_ERR_COUNT);
  EXPECT_EQ(MPI_Send_c(&number, -1, MPI_INT, 0, 0, MPI_COMM_WORLD), MPI_ERR_COUNT);
  EXPECT_EQ(MPI_Send(nullptr, 1, MPI_INT, 0, 0, MPI_COMM_WORLD), MPI_ERR_BUFFER);
  EXPECT_EQ(MPI_Send(MPI_IN_PLACE, 1, MPI_INT, 0, 0, MPI_COMM_WORLD), MPI_ERR_BUFFER);
  EXPECT_EQ(MPI_Send(&number, 1, MPI_DATATYPE_NULL, 0, 0, MPI_COMM_WORLD), MPI_ERR_TYPE);
  EXPECT_EQ(MPI_Send(&number, 1, MPI_INT, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD), MPI_ERR_RANK);
  EXPECT_EQ(MPI_Send(&number, 1, MPI_INT, 0, MPI_ANY_TAG, MPI_COMM_WORLD), MPI_ERR_TAG);
  EXPECT_EQ(MPI_Send(&number, 1, MPI_INT, 0, 0, MPI_COMM_NULL), MPI_ERR_COMM);
  EXPECT_EQ(MPI_Recv(&number, 1, MPI_INT, 0, -7, MPI_COMM_WORLD, MPI_STATUS_IGNORE), MPI_ERR_TAG);
  EXPECT_EQ(MPI_Comm_rank(MPI_COMM_WORLD, nullptr), MPI_ERR_ARG);
  EXPECT_EQ(MPI_Waitall(-1, nullptr, MPI_STATUSES_IGNORE), MPI_ERR_ARG);
  EXPECT_EQ(MPI_Bcast(&number, 1, MPI_INT, ranks::count(), MPI_COMM_WORLD), MPI_ERR_ROOT);
  EXPECT_EQ(MPI_Error_class(15000, &number), MPI_ERR_ARG);
}

TEST_F(Border, NothingIsWrongWithThese) {
  EXPECT_EQ(MPI_Send(nullptr, 0, MPI_INT, MPI_PROC_NULL, 0, MPI_COMM_WORLD), MPI_SUCCESS);
  EXPECT_EQ(MPI_Send(&number, 1, MPI_INT, MPI_PROC_NULL, INT_MAX, MPI_COMM_WORLD), MPI_SUCCESS);
  EXPECT_EQ(MPI_Recv(&number, 1, MPI_INT, MPI_PROC_NULL, MPI_ANY_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE), MPI_SUCCESS);
  EXPECT_EQ(MPI_Waitall(0, nullptr, MPI_STATUSES_IGNORE), MPI_SUCCESS);
}

TEST_F(Border, FreedHandlesAreRefusedEvenWhenTheirPlaceIsTakenAgain) {
  MPI_Datatype freed, next;
  ASSERT_EQ(MPI_Type_contiguous(2, MPI_INT, &freed), MPI_SUCCESS);
  const MPI_Datatype copy = freed;
  MPI_Type_free(&freed);
  EXPECT_EQ(freed, MPI_DATATYPE_NULL);
  ASSERT_EQ(MPI_Type_contiguous(3, MPI_INT, &next), MPI_SUCCESS);
  int size = 0;
  EXPECT_EQ(MPI_Type_size(copy, &size), MPI_ERR_TYPE);
  EXPECT_THAT(text_of(MPI_ERR_TYPE), HasSubstr("it was freed"));
  EXPECT_EQ(MPI_Send(&number, 0, next, MPI_PROC_NULL, 0, MPI_COMM_WORLD), MPI_ERR_TYPE);
  EXPECT_THAT(text_of(MPI_ERR_TYPE), HasSubstr("has not been committed"));
  MPI_Type_free(&next);
}

TEST_F(Border, HandlesAsIntegersComeBack) {
  MPI_Datatype type;
  ASSERT_EQ(MPI_Type_contiguous(2, MPI_INT, &type), MPI_SUCCESS);
  EXPECT_EQ(MPI_Type_fromint(MPI_Type_toint(type)), type);
  const int number_of_freed = MPI_Type_toint(type);
  MPI_Type_free(&type);
  EXPECT_EQ(MPI_Type_fromint(number_of_freed), MPI_DATATYPE_NULL);
  EXPECT_EQ(MPI_Comm_f2c(MPI_Comm_c2f(MPI_COMM_WORLD)), MPI_COMM_WORLD);
  EXPECT_EQ(MPI_Request_f2c(MPI_Request_c2f(MPI_REQUEST_NULL)), MPI_REQUEST_NULL);
}

TEST_F(Border, WhatIsNotThereYetSaysSo) {
  const int code = MPI_File_delete("nothing", MPI_INFO_NULL);
  EXPECT_EQ(code, MPI_ERR_UNSUPPORTED_OPERATION);
  EXPECT_THAT(text_of(code), HasSubstr("COW MPI does not offer MPI_File_delete yet"));
}

int heard_code = 0;
MPI_Comm heard_comm = MPI_COMM_NULL;
void hear(MPI_Comm* comm, int* code, ...) {
  heard_comm = *comm;
  heard_code = *code;
}

TEST_F(Border, TheHandlerOfTheCommunicatorIsCalledAndNoOther) {
  MPI_Errhandler handler;
  ASSERT_EQ(MPI_Comm_create_errhandler(hear, &handler), MPI_SUCCESS);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler);
  MPI_Errhandler_free(&handler);
  EXPECT_EQ(MPI_Send(&number, 1, MPI_INT, -9, 0, MPI_COMM_WORLD), MPI_ERR_RANK);
  EXPECT_EQ(heard_comm, MPI_COMM_WORLD);
  EXPECT_EQ(heard_code, MPI_ERR_RANK);
  heard_code = 0;
  EXPECT_EQ(MPI_Send(&number, 1, MPI_INT, -9, 0, MPI_COMM_SELF), MPI_ERR_RANK);
  EXPECT_EQ(MPI_Type_size(MPI_DATATYPE_NULL, &number), MPI_ERR_TYPE) << "belongs to no object: MPI_COMM_SELF's";
  EXPECT_EQ(heard_code, 0);
}

TEST_F(Border, AWaitThatFailsIsHeardByTheCommunicatorOfItsRequest) {
  MPI_Errhandler handler;
  ASSERT_EQ(MPI_Comm_create_errhandler(hear, &handler), MPI_SUCCESS);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler);
  MPI_Errhandler_free(&handler);
  heard_code = 0;
  const int four[4] = {1, 2, 3, 4};
  int one = 0;
  MPI_Request send, receive;
  MPI_Isend(four, 4, MPI_INT, ranks::rank(), 1, MPI_COMM_WORLD, &send);
  MPI_Irecv(&one, 1, MPI_INT, ranks::rank(), 1, MPI_COMM_WORLD, &receive);
  EXPECT_EQ(MPI_Wait(&receive, MPI_STATUS_IGNORE), MPI_ERR_TRUNCATE);
  EXPECT_EQ(heard_code, MPI_ERR_TRUNCATE);
  EXPECT_EQ(heard_comm, MPI_COMM_WORLD);
  EXPECT_THAT(text_of(MPI_ERR_TRUNCATE), AllOf(HasSubstr("16 bytes"), HasSubstr("room for 4")));
  MPI_Wait(&send, MPI_STATUS_IGNORE);
}

TEST_F(Border, OutputsThatDoNotFitAnInt) {
  MPI_Datatype large;
  ASSERT_EQ(MPI_Type_contiguous(INT_MAX, MPI_DOUBLE, &large), MPI_SUCCESS);
  int size = 0;
  MPI_Count exact = 0;
  EXPECT_EQ(MPI_Type_size(large, &size), MPI_SUCCESS);
  EXPECT_EQ(size, MPI_UNDEFINED);
  EXPECT_EQ(MPI_Type_size_c(large, &exact), MPI_SUCCESS);
  EXPECT_EQ(exact, MPI_Count{8} * INT_MAX);
  EXPECT_EQ(MPI_Type_size_x(large, &exact), MPI_SUCCESS);
  EXPECT_EQ(exact, MPI_Count{8} * INT_MAX);
  MPI_Type_free(&large);
}

}  // namespace
