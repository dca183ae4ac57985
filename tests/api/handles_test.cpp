// Handles as integers, and back.
#include "objects/refuse.hpp"

namespace {

void ignore(MPI_Comm*, int*, ...) {}

class Handles : public cow::test::Returning {
 protected:
  // What each kind must do: a live handle comes back, a number that nothing has becomes null, predefined ones keep the
  // number that the standard gives them.
  template <class Handle>
  void check(int (*to)(Handle), Handle (*from)(int), Handle live, Handle null) {
    EXPECT_EQ(from(to(live)), live);
    EXPECT_EQ(from(to(null)), null);
    EXPECT_EQ(to(null), static_cast<int>(reinterpret_cast<std::intptr_t>(null)));
    EXPECT_EQ(from(123'456'789), null);
    EXPECT_EQ(from(-1), null);
  }
};

TEST_F(Handles, OfWhatTheProgramMade) {
  MPI_Comm comm;
  ASSERT_OK(MPI_Comm_dup(MPI_COMM_SELF, &comm));
  check(MPI_Comm_toint, MPI_Comm_fromint, comm, MPI_COMM_NULL);
  const int number = MPI_Comm_toint(comm);
  ASSERT_OK(MPI_Comm_free(&comm));
  EXPECT_EQ(MPI_Comm_fromint(number), MPI_COMM_NULL);

  MPI_Group group;
  ASSERT_OK(MPI_Comm_group(MPI_COMM_SELF, &group));
  check(MPI_Group_toint, MPI_Group_fromint, group, MPI_GROUP_NULL);
  ASSERT_OK(MPI_Group_free(&group));

  MPI_Info info;
  ASSERT_OK(MPI_Info_create(&info));
  check(MPI_Info_toint, MPI_Info_fromint, info, MPI_INFO_NULL);
  ASSERT_OK(MPI_Info_free(&info));

  MPI_Errhandler handler;
  ASSERT_OK(MPI_Comm_create_errhandler(ignore, &handler));
  check(MPI_Errhandler_toint, MPI_Errhandler_fromint, handler, MPI_ERRHANDLER_NULL);
  ASSERT_OK(MPI_Errhandler_free(&handler));

  MPI_Op op;
  ASSERT_OK(MPI_Op_create([](void*, void*, int*, MPI_Datatype*) {}, 1, &op));
  check(MPI_Op_toint, MPI_Op_fromint, op, MPI_OP_NULL);
  ASSERT_OK(MPI_Op_free(&op));

  MPI_Session session;
  ASSERT_OK(MPI_Session_init(MPI_INFO_NULL, MPI_ERRORS_RETURN, &session));
  check(MPI_Session_toint, MPI_Session_fromint, session, MPI_SESSION_NULL);
  ASSERT_OK(MPI_Session_finalize(&session));
}

TEST_F(Handles, OfMessagesUnderWay) {
  int data = 5;
  MPI_Request request;
  ASSERT_OK(MPI_Recv_init(&data, 1, MPI_INT, 0, 3, MPI_COMM_SELF, &request));
  check(MPI_Request_toint, MPI_Request_fromint, request, MPI_REQUEST_NULL);
  ASSERT_OK(MPI_Request_free(&request));

  MPI_Message message;
  int sent = 7;
  ASSERT_OK(MPI_Isend(&sent, 1, MPI_INT, 0, 3, MPI_COMM_SELF, &request));
  ASSERT_OK(MPI_Mprobe(0, 3, MPI_COMM_SELF, &message, MPI_STATUS_IGNORE));
  check(MPI_Message_toint, MPI_Message_fromint, message, MPI_MESSAGE_NULL);
  EXPECT_EQ(MPI_Message_fromint(MPI_Message_toint(MPI_MESSAGE_NO_PROC)), MPI_MESSAGE_NO_PROC);
  ASSERT_OK(MPI_Imrecv_c(&data, 1, MPI_INT, &message, &request));
  ASSERT_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  EXPECT_EQ(data, 7);
}

TEST_F(Handles, OfPredefinedObjects) {
  check(MPI_Comm_toint, MPI_Comm_fromint, MPI_COMM_WORLD, MPI_COMM_NULL);
  check(MPI_Op_toint, MPI_Op_fromint, MPI_SUM, MPI_OP_NULL);
  check(MPI_Errhandler_toint, MPI_Errhandler_fromint, MPI_ERRORS_RETURN, MPI_ERRHANDLER_NULL);
  check(MPI_Group_toint, MPI_Group_fromint, MPI_GROUP_EMPTY, MPI_GROUP_NULL);
  check(MPI_Info_toint, MPI_Info_fromint, MPI_INFO_ENV, MPI_INFO_NULL);
  check(MPI_File_toint, MPI_File_fromint, MPI_FILE_NULL, MPI_FILE_NULL);
  check(MPI_Win_toint, MPI_Win_fromint, MPI_WIN_NULL, MPI_WIN_NULL);
}

}  // namespace
