// What calls do that have no other test: kinds of sends in all their forms, statuses, generalized requests, buffers.
#include <cstring>
#include <vector>

#include "objects/refuse.hpp"

namespace {

class Calls : public cow::test::Returning {
 protected:
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Status status = {};
  int out = 41, in = -1;

  void receive(int tag) {
    in = -1;
    ASSERT_OK(MPI_Recv(&in, 1, MPI_INT, 0, tag, MPI_COMM_SELF, &status));
    EXPECT_EQ(in, out);
  }
};

TEST_F(Calls, NonblockingSends) {
  std::vector<char> memory(1000);
  ASSERT_OK(MPI_Buffer_attach_c(memory.data(), 1000));
  int tag = 0;
  const auto check = [&](auto send, auto count) {
    SCOPED_TRACE(++tag);
    MPI_Request incoming;
    in = -1;
    ASSERT_OK(MPI_Irecv(&in, 1, MPI_INT, 0, tag, MPI_COMM_SELF, &incoming));
    ASSERT_OK(send(&out, count, MPI_INT, 0, tag, MPI_COMM_SELF, &request));
    ASSERT_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    ASSERT_OK(MPI_Wait(&incoming, MPI_STATUS_IGNORE));
    EXPECT_EQ(in, out);
  };
  check(MPI_Irsend, 1);
  check(MPI_Ibsend, 1);
  check(MPI_Issend, 1);
  check(MPI_Irsend_c, MPI_Count{1});
  check(MPI_Ibsend_c, MPI_Count{1});
  check(MPI_Issend_c, MPI_Count{1});
  void* back = nullptr;
  MPI_Count size = 0;
  ASSERT_OK(MPI_Buffer_detach_c(&back, &size));
  EXPECT_EQ(back, memory.data());
  EXPECT_EQ(size, 1000);
}

TEST_F(Calls, BlockingSendsToPostedReceives) {
  int tag = 0;
  const auto check = [&](auto send, auto count) {
    SCOPED_TRACE(++tag);
    in = -1;
    ASSERT_OK(MPI_Irecv(&in, 1, MPI_INT, 0, tag, MPI_COMM_SELF, &request));
    ASSERT_OK(send(&out, count, MPI_INT, 0, tag, MPI_COMM_SELF));
    ASSERT_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    EXPECT_EQ(in, out);
  };
  check(MPI_Rsend, 1);
  check(MPI_Ssend, 1);
  check(MPI_Send_c, MPI_Count{1});
  check(MPI_Rsend_c, MPI_Count{1});
  check(MPI_Ssend_c, MPI_Count{1});
}

TEST_F(Calls, PersistentSends) {
  std::vector<char> memory(1000);
  ASSERT_OK(MPI_Buffer_attach(memory.data(), 1000));
  int tag = 0;
  const auto check = [&](auto init, auto recv_init, auto count) {
    SCOPED_TRACE(++tag);
    MPI_Request pair[2];
    ASSERT_OK(recv_init(&in, count, MPI_INT, 0, tag, MPI_COMM_SELF, &pair[0]));
    ASSERT_OK(init(&out, count, MPI_INT, 0, tag, MPI_COMM_SELF, &pair[1]));
    for (int round = 0; round < 3; ++round) {
      out = 100 * tag + round;
      in = -1;
      ASSERT_OK(MPI_Startall(2, pair));
      ASSERT_OK(MPI_Waitall(2, pair, MPI_STATUSES_IGNORE));
      EXPECT_EQ(in, out);
    }
    for (MPI_Request& one : pair) ASSERT_OK(MPI_Request_free(&one));
  };
  check(MPI_Send_init, MPI_Recv_init, 1);
  check(MPI_Ssend_init, MPI_Recv_init, 1);
  check(MPI_Rsend_init, MPI_Recv_init, 1);
  check(MPI_Bsend_init, MPI_Recv_init, 1);
  check(MPI_Send_init_c, MPI_Recv_init_c, MPI_Count{1});
  check(MPI_Ssend_init_c, MPI_Recv_init_c, MPI_Count{1});
  check(MPI_Rsend_init_c, MPI_Recv_init_c, MPI_Count{1});
  check(MPI_Bsend_init_c, MPI_Recv_init_c, MPI_Count{1});
  void* back = nullptr;
  int size = 0;
  ASSERT_OK(MPI_Buffer_detach(&back, &size));
}

TEST_F(Calls, SendsWithReceives) {
  int values[2] = {7, -1};
  ASSERT_OK(MPI_Isendrecv(&values[0], 1, MPI_INT, 0, 1, &values[1], 1, MPI_INT, 0, 1, MPI_COMM_SELF, &request));
  ASSERT_OK(MPI_Wait(&request, &status));
  EXPECT_EQ(values[1], 7);
  EXPECT_EQ(status.MPI_TAG, 1);
  values[1] = -1;
  ASSERT_OK(MPI_Isendrecv_c(&values[0], 1, MPI_INT, 0, 2, &values[1], 1, MPI_INT, 0, 2, MPI_COMM_SELF, &request));
  ASSERT_OK(MPI_Wait(&request, &status));
  EXPECT_EQ(values[1], 7);
  ASSERT_OK(MPI_Isendrecv_replace(&values[0], 1, MPI_INT, 0, 3, 0, 3, MPI_COMM_SELF, &request));
  ASSERT_OK(MPI_Wait(&request, &status));
  EXPECT_EQ(values[0], 7);
  EXPECT_EQ(status.MPI_SOURCE, 0);
  ASSERT_OK(
      MPI_Isendrecv_replace_c(&values[0], 1, MPI_INT, MPI_PROC_NULL, 3, MPI_PROC_NULL, 3, MPI_COMM_SELF, &request));
  ASSERT_OK(MPI_Wait(&request, &status));
  EXPECT_EQ(values[0], 7);
  ASSERT_OK(MPI_Sendrecv_replace_c(&values[0], 1, MPI_INT, 0, 4, 0, 4, MPI_COMM_SELF, &status));
  EXPECT_EQ(values[0], 7);
}

TEST_F(Calls, BuffersOfACommunicator) {
  MPI_Comm comm;
  ASSERT_OK(MPI_Comm_dup(MPI_COMM_SELF, &comm));
  std::vector<char> memory(sizeof out + MPI_BSEND_OVERHEAD);
  const int size = static_cast<int>(memory.size());
  ASSERT_OK(MPI_Comm_attach_buffer(comm, memory.data(), size));
  ASSERT_OK(MPI_Bsend_c(&out, 1, MPI_INT, 0, 1, comm));
  EXPECT_REFUSED(MPI_ERR_BUFFER, MPI_Bsend(&out, 1, MPI_INT, 0, 1, MPI_COMM_SELF));
  ASSERT_OK(MPI_Recv(&in, 1, MPI_INT, 0, 1, comm, MPI_STATUS_IGNORE));
  EXPECT_EQ(in, out);
  ASSERT_OK(MPI_Comm_flush_buffer(comm));
  ASSERT_OK(MPI_Comm_iflush_buffer(comm, &request));
  ASSERT_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  void* back = nullptr;
  int back_size = 0;
  ASSERT_OK(MPI_Comm_detach_buffer(comm, &back, &back_size));
  EXPECT_EQ(back, memory.data());
  EXPECT_EQ(back_size, size);
  MPI_Count large = 0;
  ASSERT_OK(MPI_Comm_attach_buffer_c(comm, MPI_BUFFER_AUTOMATIC, 0));
  ASSERT_OK(MPI_Bsend(&out, 1, MPI_INT, 0, 2, comm));
  ASSERT_OK(MPI_Recv(&in, 1, MPI_INT, 0, 2, comm, MPI_STATUS_IGNORE));
  ASSERT_OK(MPI_Comm_detach_buffer_c(comm, &back, &large));
  EXPECT_EQ(back, MPI_BUFFER_AUTOMATIC);
  ASSERT_OK(MPI_Comm_free(&comm));
  ASSERT_OK(MPI_Buffer_flush());
  ASSERT_OK(MPI_Buffer_iflush(&request));
  ASSERT_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
}

TEST_F(Calls, Statuses) {
  int value = 0, flag = 0;
  ASSERT_OK(MPI_Status_set_source(&status, 3));
  ASSERT_OK(MPI_Status_set_tag(&status, 4));
  ASSERT_OK(MPI_Status_set_error(&status, MPI_ERR_RANK));
  ASSERT_OK(MPI_Status_set_cancelled(&status, 1));
  EXPECT_EQ(status.MPI_SOURCE, 3);
  ASSERT_OK(MPI_Status_get_source(&status, &value));
  EXPECT_EQ(value, 3);
  ASSERT_OK(MPI_Status_get_tag(&status, &value));
  EXPECT_EQ(value, 4);
  ASSERT_OK(MPI_Status_get_error(&status, &value));
  EXPECT_EQ(value, MPI_ERR_RANK);
  ASSERT_OK(MPI_Test_cancelled(&status, &flag));
  EXPECT_TRUE(flag);
}

TEST_F(Calls, SomeAndAnyOfSeveral) {
  int values[3] = {-1, -1, -1}, found = 0, indices[3], flag = 0, index = 0;
  MPI_Request requests[3];
  MPI_Status statuses[3];
  for (int i = 0; i < 3; ++i) ASSERT_OK(MPI_Irecv(&values[i], 1, MPI_INT, 0, i, MPI_COMM_SELF, &requests[i]));
  ASSERT_OK(MPI_Testsome(3, requests, &found, indices, statuses));
  EXPECT_EQ(found, 0);
  ASSERT_OK(MPI_Request_get_status_any(3, requests, &index, &flag, &status));
  EXPECT_FALSE(flag);
  ASSERT_OK(MPI_Send(&out, 1, MPI_INT, 0, 1, MPI_COMM_SELF));
  ASSERT_OK(MPI_Request_get_status_any(3, requests, &index, &flag, &status));
  EXPECT_TRUE(flag);
  EXPECT_EQ(index, 1);
  EXPECT_EQ(status.MPI_TAG, 1);
  ASSERT_OK(MPI_Request_get_status_some(3, requests, &found, indices, statuses));
  EXPECT_EQ(found, 1);
  EXPECT_EQ(indices[0], 1);
  ASSERT_OK(MPI_Request_get_status_all(3, requests, &flag, statuses));
  EXPECT_FALSE(flag);
  ASSERT_OK(MPI_Waitsome(3, requests, &found, indices, statuses));
  ASSERT_EQ(found, 1);
  EXPECT_EQ(indices[0], 1);
  EXPECT_EQ(statuses[0].MPI_TAG, 1);
  EXPECT_EQ(requests[1], MPI_REQUEST_NULL);
  for (const int i : {0, 2}) ASSERT_OK(MPI_Send(&out, 1, MPI_INT, 0, i, MPI_COMM_SELF));
  ASSERT_OK(MPI_Request_get_status_all(3, requests, &flag, statuses));
  EXPECT_TRUE(flag);
  EXPECT_EQ(statuses[2].MPI_TAG, 2);
  ASSERT_OK(MPI_Testsome(3, requests, &found, indices, statuses));
  EXPECT_EQ(found, 2);
  ASSERT_OK(MPI_Testsome(3, requests, &found, indices, statuses));
  EXPECT_EQ(found, MPI_UNDEFINED);
  ASSERT_OK(MPI_Waitsome(3, requests, &found, indices, statuses));
  EXPECT_EQ(found, MPI_UNDEFINED);
  for (const int value : values) EXPECT_EQ(value, out);
}

int queried = 0, freed = 0, cancelled = -1;

TEST_F(Calls, GeneralizedRequests) {
  const auto query = [](void*, MPI_Status* to) {
    ++queried;
    to->MPI_SOURCE = 5;
    MPI_Status_set_elements(to, MPI_INT, 3);
    MPI_Status_set_cancelled(to, 0);
    return MPI_SUCCESS;
  };
  const auto free_it = [](void*) { return ++freed, MPI_SUCCESS; };
  const auto cancel = [](void*, int complete) { return cancelled = complete, MPI_SUCCESS; };
  ASSERT_OK(MPI_Grequest_start(query, free_it, cancel, nullptr, &request));
  int flag = -1, count = 0;
  ASSERT_OK(MPI_Test(&request, &flag, &status));
  EXPECT_FALSE(flag);
  ASSERT_OK(MPI_Cancel(&request));
  EXPECT_EQ(cancelled, 0);
  ASSERT_OK(MPI_Grequest_complete(request));
  EXPECT_REFUSED(MPI_ERR_REQUEST, MPI_Grequest_complete(request));
  ASSERT_OK(MPI_Wait(&request, &status));
  EXPECT_EQ(queried, 1);
  EXPECT_EQ(freed, 1);
  EXPECT_EQ(status.MPI_SOURCE, 5);
  ASSERT_OK(MPI_Get_count(&status, MPI_INT, &count));
  EXPECT_EQ(count, 3);
}

TEST_F(Calls, ErrorsOfTheProgramsOwn) {
  int own = 0, code = 0, found = 0;
  ASSERT_OK(MPI_Add_error_class(&own));
  ASSERT_OK(MPI_Add_error_code(own, &code));
  ASSERT_OK(MPI_Add_error_string(code, "the sails are torn"));
  ASSERT_OK(MPI_Error_class(code, &found));
  EXPECT_EQ(found, own);
  EXPECT_EQ(cow::test::text_of(code), "the sails are torn");
  EXPECT_REFUSED(MPI_ERR_OTHER, MPI_Remove_error_class(own));  // it has a code
  ASSERT_OK(MPI_Remove_error_string(code));
  ASSERT_OK(MPI_Remove_error_code(code));
  ASSERT_OK(MPI_Remove_error_class(own));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Error_class(code, &found));
}

TEST_F(Calls, TheBinaryInterface) {
  int major = 0, minor = -1, flag = 0, size = 8;
  ASSERT_OK(MPI_Abi_get_version(&major, &minor));
  EXPECT_EQ(major, MPI_ABI_VERSION);
  EXPECT_EQ(minor, MPI_ABI_SUBVERSION);
  MPI_Info info;
  ASSERT_OK(MPI_Abi_get_info(&info));
  char value[8];
  ASSERT_OK(MPI_Info_get_string(info, "mpi_aint_size", &size, value, &flag));
  EXPECT_TRUE(flag);
  EXPECT_STREQ(value, "8");
  ASSERT_OK(MPI_Info_free(&info));
  ASSERT_OK(MPI_Pcontrol(1));
}

TEST_F(Calls, HowTheProcessWasStarted) {
  const auto value_of = [](const char* key) -> std::string {
    char value[MPI_MAX_INFO_VAL] = "";
    int size = sizeof value, flag = 0;
    MPI_Info_get_string(MPI_INFO_ENV, key, &size, value, &flag);
    return flag ? value : "(none)";
  };
  EXPECT_EQ(value_of("maxprocs"), "1");
  EXPECT_EQ(value_of("mpi_memory_alloc_kinds"), "mpi,system");
  EXPECT_NE(value_of("command").find("mpi_calls"), std::string::npos);
  EXPECT_NE(value_of("host"), "(none)");
  EXPECT_NE(value_of("arch"), "(none)");
  EXPECT_EQ(value_of("wdir").front(), '/');
  EXPECT_REFUSED(MPI_ERR_INFO, MPI_Info_set(MPI_INFO_ENV, "host", "elsewhere"));
}

TEST_F(Calls, DuplicatesWithHints) {
  MPI_Info hints, used;
  ASSERT_OK(MPI_Info_create(&hints));
  ASSERT_OK(MPI_Info_set(hints, "mpi_assert_no_any_tag", "true"));
  MPI_Comm comm;
  ASSERT_OK(MPI_Comm_idup_with_info(MPI_COMM_SELF, hints, &comm, &request));
  ASSERT_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  ASSERT_OK(MPI_Comm_get_info(comm, &used));
  char value[8] = "";
  int flag = 0, size = 8;
  ASSERT_OK(MPI_Info_get_string(used, "mpi_assert_no_any_tag", &size, value, &flag));
  EXPECT_STREQ(value, "true");
  ASSERT_OK(MPI_Info_free(&used));
  ASSERT_OK(MPI_Info_free(&hints));
  ASSERT_OK(MPI_Comm_free(&comm));
}

TEST_F(Calls, PackLarge) {
  char packed[16];
  MPI_Count position = 0;
  ASSERT_OK(MPI_Pack_c(&out, 1, MPI_INT, packed, sizeof packed, &position, MPI_COMM_SELF));
  EXPECT_EQ(position, 4);
  position = 0;
  ASSERT_OK(MPI_Unpack_c(packed, sizeof packed, &position, &in, 1, MPI_INT, MPI_COMM_SELF));
  EXPECT_EQ(in, out);
}

}  // namespace
