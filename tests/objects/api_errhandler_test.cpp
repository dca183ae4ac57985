// Error handlers, and operations of the program, through the C functions.
#include "refuse.hpp"

namespace cow::test {
namespace {

using Handlers = Returning;
using OperationCalls = Returning;

int handled = 0;
MPI_Comm handled_comm = MPI_COMM_NULL;
MPI_File handled_file = nullptr;

void on_comm(MPI_Comm* comm, int* code, ...) {
  handled = *code;
  handled_comm = *comm;
}
void on_comm_changing(MPI_Comm*, int* code, ...) { *code = MPI_ERR_OTHER; }
void on_file(MPI_File* file, int* code, ...) {
  handled = *code;
  handled_file = *file;
}

TEST_F(Handlers, OfCommunicators) {
  MPI_Errhandler handler, got;
  ASSERT_OK(MPI_Comm_create_errhandler(on_comm, &handler));
  ASSERT_OK(MPI_Comm_set_errhandler(MPI_COMM_SELF, handler));
  ASSERT_OK(MPI_Comm_get_errhandler(MPI_COMM_SELF, &got));
  EXPECT_EQ(got, handler);
  ASSERT_OK(MPI_Errhandler_free(&got));
  EXPECT_EQ(got, MPI_ERRHANDLER_NULL);
  int size;
  EXPECT_EQ(MPI_Comm_remote_size(MPI_COMM_SELF, &size), MPI_ERR_COMM);
  EXPECT_EQ(handled, MPI_ERR_COMM);
  EXPECT_EQ(handled_comm, MPI_COMM_SELF);
  // It stays in use when its handle is freed, and gets a handle again when asked for.
  ASSERT_OK(MPI_Errhandler_free(&handler));
  ASSERT_OK(MPI_Comm_call_errhandler(MPI_COMM_SELF, MPI_ERR_TAG));
  EXPECT_EQ(handled, MPI_ERR_TAG);
  ASSERT_OK(MPI_Comm_get_errhandler(MPI_COMM_SELF, &got));
  ASSERT_OK(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN));
  ASSERT_OK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, got));
  EXPECT_EQ(MPI_Comm_remote_size(MPI_COMM_WORLD, &size), MPI_ERR_COMM);
  EXPECT_EQ(handled_comm, MPI_COMM_WORLD);
  ASSERT_OK(MPI_Errhandler_free(&got));
  ASSERT_OK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
}

TEST_F(Handlers, MayChangeTheCode) {
  MPI_Errhandler handler;
  ASSERT_OK(MPI_Comm_create_errhandler(on_comm_changing, &handler));
  ASSERT_OK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler));
  ASSERT_OK(MPI_Errhandler_free(&handler));
  int size;
  EXPECT_EQ(MPI_Comm_remote_size(MPI_COMM_WORLD, &size), MPI_ERR_OTHER);
  ASSERT_OK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
}

TEST_F(Handlers, ThePredefinedOnes) {
  MPI_Errhandler got;
  ASSERT_OK(MPI_Comm_get_errhandler(MPI_COMM_WORLD, &got));
  EXPECT_EQ(got, MPI_ERRORS_RETURN);
  ASSERT_OK(MPI_Errhandler_free(&got));
  ASSERT_OK(MPI_Comm_get_errhandler(MPI_COMM_WORLD, &got));
  EXPECT_EQ(got, MPI_ERRORS_RETURN);
}

TEST_F(Handlers, OfFiles) {
  MPI_Errhandler handler, got;
  ASSERT_OK(MPI_File_get_errhandler(MPI_FILE_NULL, &got));
  EXPECT_EQ(got, MPI_ERRORS_RETURN);
  ASSERT_OK(MPI_File_create_errhandler(on_file, &handler));
  ASSERT_OK(MPI_File_set_errhandler(MPI_FILE_NULL, handler));
  ASSERT_OK(MPI_File_call_errhandler(MPI_FILE_NULL, MPI_ERR_IO));
  EXPECT_EQ(handled, MPI_ERR_IO);
  EXPECT_EQ(handled_file, MPI_FILE_NULL);
  ASSERT_OK(MPI_File_set_errhandler(MPI_FILE_NULL, MPI_ERRORS_RETURN));
  EXPECT_REFUSED(MPI_ERR_ERRHANDLER, MPI_Comm_set_errhandler(MPI_COMM_SELF, handler));
  ASSERT_OK(MPI_Errhandler_free(&handler));
  EXPECT_EQ(class_of(MPI_File_set_errhandler(made_up<MPI_File>(), MPI_ERRORS_RETURN)), MPI_ERR_FILE);
}

void on_win(MPI_Win*, int*, ...) {}
void on_session(MPI_Session*, int*, ...) {}

TEST_F(Handlers, FitTheirObjectsOnly) {
  MPI_Errhandler of_comm, of_win, of_session;
  ASSERT_OK(MPI_Comm_create_errhandler(on_comm, &of_comm));
  ASSERT_OK(MPI_Win_create_errhandler(on_win, &of_win));
  ASSERT_OK(MPI_Session_create_errhandler(on_session, &of_session));
  EXPECT_REFUSED(MPI_ERR_ERRHANDLER, MPI_Comm_set_errhandler(MPI_COMM_SELF, of_win));
  EXPECT_REFUSED(MPI_ERR_ERRHANDLER, MPI_Comm_set_errhandler(MPI_COMM_SELF, of_session));
  EXPECT_REFUSED(MPI_ERR_ERRHANDLER, MPI_File_set_errhandler(MPI_FILE_NULL, of_comm));
  for (MPI_Errhandler* handler : {&of_comm, &of_win, &of_session}) EXPECT_OK(MPI_Errhandler_free(handler));
}

TEST_F(Handlers, AreRefused) {
  MPI_Errhandler handler = MPI_ERRHANDLER_NULL;
  EXPECT_REFUSED(MPI_ERR_ERRHANDLER, MPI_Errhandler_free(&handler));
  EXPECT_REFUSED(MPI_ERR_ERRHANDLER, MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRHANDLER_NULL));
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Comm_set_errhandler(MPI_COMM_NULL, MPI_ERRORS_RETURN));
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Comm_get_errhandler(MPI_COMM_NULL, &handler));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Comm_create_errhandler(nullptr, &handler));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Comm_create_errhandler(on_comm, nullptr));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Win_create_errhandler(nullptr, &handler));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Comm_call_errhandler(MPI_COMM_SELF, 987654));
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Comm_call_errhandler(MPI_COMM_NULL, MPI_ERR_TAG));
}

// ---- operations

void add(void* in, void* inout, int* count, MPI_Datatype* type) {
  MPI_Aint lb, extent;
  MPI_Type_get_extent(*type, &lb, &extent);
  for (int i = 0; i < *count; ++i)
    *reinterpret_cast<int*>(static_cast<char*>(inout) + i * extent) +=
        *reinterpret_cast<int*>(static_cast<char*>(in) + i * extent);
}
void add_large(void* in, void* inout, MPI_Count* count, MPI_Datatype* type) {
  int small = static_cast<int>(*count);
  add(in, inout, &small, type);
}

TEST_F(OperationCalls, OfTheProgram) {
  MPI_Op op, large;
  ASSERT_OK(MPI_Op_create(add, 0, &op));
  ASSERT_OK(MPI_Op_create_c(add_large, 1, &large));
  int commutes = -1;
  ASSERT_OK(MPI_Op_commutative(op, &commutes));
  EXPECT_EQ(commutes, 0);
  ASSERT_OK(MPI_Op_commutative(large, &commutes));
  EXPECT_EQ(commutes, 1);
  ASSERT_OK(MPI_Op_commutative(MPI_SUM, &commutes));
  EXPECT_EQ(commutes, 1);
  MPI_Datatype spaced;
  ASSERT_OK(MPI_Type_create_resized(MPI_INT, 0, 8, &spaced));
  ASSERT_OK(MPI_Type_commit(&spaced));
  const int in[] = {1, 2, 3, 4};
  int inout[] = {10, 20, 30, 40};
  ASSERT_OK(MPI_Reduce_local(in, inout, 2, spaced, op));
  ASSERT_OK(MPI_Reduce_local_c(in, inout, 2, spaced, large));
  EXPECT_EQ(inout[0], 12);
  EXPECT_EQ(inout[1], 20);
  EXPECT_EQ(inout[2], 36);
  EXPECT_REFUSED(MPI_ERR_OP, MPI_Reduce_local(in, inout, 1, spaced, MPI_SUM));
  ASSERT_OK(MPI_Type_free(&spaced));
  MPI_Op freed = op;
  ASSERT_OK(MPI_Op_free(&op));
  EXPECT_EQ(op, MPI_OP_NULL);
  EXPECT_REFUSED(MPI_ERR_OP, MPI_Op_commutative(freed, &commutes));
  ASSERT_OK(MPI_Op_free(&large));
}

TEST_F(OperationCalls, AreRefused) {
  MPI_Op op = MPI_SUM, null = MPI_OP_NULL;
  int in = 1, inout = 2, flag;
  double real_in = 1, real_inout = 2;
  EXPECT_REFUSED(MPI_ERR_OP, MPI_Op_free(&op));
  EXPECT_REFUSED(MPI_ERR_OP, MPI_Op_free(&null));
  EXPECT_REFUSED(MPI_ERR_OP, MPI_Op_commutative(MPI_OP_NULL, &flag));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Op_create(nullptr, 1, &op));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Op_create(add, 1, nullptr));
  EXPECT_REFUSED(MPI_ERR_OP, MPI_Reduce_local(&real_in, &real_inout, 1, MPI_DOUBLE, MPI_BAND));
  EXPECT_REFUSED(MPI_ERR_OP, MPI_Reduce_local(&in, &inout, 1, MPI_INT, MPI_MINLOC));
  EXPECT_REFUSED(MPI_ERR_OP, MPI_Reduce_local(&in, &inout, 1, MPI_INT, MPI_REPLACE));
  EXPECT_REFUSED(MPI_ERR_COUNT, MPI_Reduce_local(&in, &inout, -1, MPI_INT, MPI_SUM));
  EXPECT_REFUSED(MPI_ERR_BUFFER, MPI_Reduce_local(MPI_IN_PLACE, &inout, 1, MPI_INT, MPI_SUM));
  EXPECT_REFUSED(MPI_ERR_BUFFER, MPI_Reduce_local(&in, MPI_IN_PLACE, 1, MPI_INT, MPI_SUM));
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Reduce_local(&in, &inout, 1, MPI_DATATYPE_NULL, MPI_SUM));
  EXPECT_EQ(inout, 2);
}

}  // namespace
}  // namespace cow::test
