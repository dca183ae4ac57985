// Calls with wrong arguments, table by table: null handles, freed ones, objects of another kind, negative counts, ranks and
// tags that do not exist, null pointers.
#include <functional>
#include <vector>

#include "objects/refuse.hpp"

namespace {

using cow::test::class_of;
using cow::test::text_of;

struct Row {
  const char* call;
  int expected;
  std::function<int()> make;
};

class Refusals : public cow::test::Returning {
 protected:
  int data[4] = {}, flag = 0, index = 0, some[2] = {};
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Status status = {};
  MPI_Comm made = MPI_COMM_NULL;
  MPI_Message message = MPI_MESSAGE_NULL;
  void* pointer = nullptr;

  void expect(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      const int code = row.make();
      EXPECT_EQ(class_of(code), row.expected) << row.call << ": " << text_of(code);
      EXPECT_NE(text_of(code).find(row.call), std::string::npos) << text_of(code);
    }
  }
};

#define ROW(expected, function, ...) {#function, expected, [&] { return function(__VA_ARGS__); }}

// Everything that takes (buffer, count, type, rank, tag, comm) first, in all the ways that such arguments can be wrong.
#define SEND_ROWS(function, ...)                                                                               \
  ROW(MPI_ERR_COMM, function, data, 1, MPI_INT, 0, 1, MPI_COMM_NULL __VA_OPT__(, ) __VA_ARGS__),               \
      ROW(MPI_ERR_COMM, function, data, 1, MPI_INT, 0, 1, freed __VA_OPT__(, ) __VA_ARGS__),                   \
      ROW(MPI_ERR_TYPE, function, data, 1, MPI_DATATYPE_NULL, 0, 1, MPI_COMM_SELF __VA_OPT__(, ) __VA_ARGS__), \
      ROW(MPI_ERR_TYPE, function, data, 1, raw, 0, 1, MPI_COMM_SELF __VA_OPT__(, ) __VA_ARGS__),               \
      ROW(MPI_ERR_COUNT, function, data, -1, MPI_INT, 0, 1, MPI_COMM_SELF __VA_OPT__(, ) __VA_ARGS__),         \
      ROW(MPI_ERR_RANK, function, data, 1, MPI_INT, 1, 1, MPI_COMM_SELF __VA_OPT__(, ) __VA_ARGS__),           \
      ROW(MPI_ERR_TAG, function, data, 1, MPI_INT, 0, -7, MPI_COMM_SELF __VA_OPT__(, ) __VA_ARGS__),           \
      ROW(MPI_ERR_BUFFER, function, nullptr, 1, MPI_INT, 0, 1, MPI_COMM_SELF __VA_OPT__(, ) __VA_ARGS__)

TEST_F(Refusals, SendsAndReceives) {
  MPI_Comm gone;
  ASSERT_OK(MPI_Comm_dup(MPI_COMM_SELF, &gone));
  const MPI_Comm freed = gone;
  ASSERT_OK(MPI_Comm_free(&gone));
  MPI_Datatype raw;
  ASSERT_OK(MPI_Type_contiguous(1, MPI_INT, &raw));
  expect({SEND_ROWS(MPI_Send), SEND_ROWS(MPI_Ssend), SEND_ROWS(MPI_Rsend), SEND_ROWS(MPI_Bsend)});
  expect({SEND_ROWS(MPI_Isend, &request), SEND_ROWS(MPI_Issend, &request), SEND_ROWS(MPI_Irsend, &request),
          SEND_ROWS(MPI_Ibsend, &request), SEND_ROWS(MPI_Irecv, &request)});
  expect({SEND_ROWS(MPI_Send_init, &request), SEND_ROWS(MPI_Ssend_init, &request), SEND_ROWS(MPI_Rsend_init, &request),
          SEND_ROWS(MPI_Bsend_init, &request), SEND_ROWS(MPI_Recv_init, &request)});
  expect({SEND_ROWS(MPI_Send_c), SEND_ROWS(MPI_Isend_c, &request), SEND_ROWS(MPI_Irecv_c, &request),
          SEND_ROWS(MPI_Recv_c, &status), SEND_ROWS(MPI_Ssend_init_c, &request)});
  expect({SEND_ROWS(MPI_Recv, MPI_STATUS_IGNORE),
          ROW(MPI_ERR_ARG, MPI_Isend, data, 1, MPI_INT, 0, 1, MPI_COMM_SELF, nullptr),
          ROW(MPI_ERR_ARG, MPI_Irecv, data, 1, MPI_INT, 0, 1, MPI_COMM_SELF, nullptr)});
  EXPECT_EQ(request, MPI_REQUEST_NULL);
  ASSERT_OK(MPI_Type_free(&raw));
}

#define PAIR_ROWS(function, last)                                                                                     \
  ROW(MPI_ERR_COMM, function, data, 1, MPI_INT, 0, 1, &data[1], 1, MPI_INT, 0, 1, MPI_COMM_NULL, last),               \
      ROW(MPI_ERR_COUNT, function, data, -1, MPI_INT, 0, 1, &data[1], 1, MPI_INT, 0, 1, MPI_COMM_SELF, last),         \
      ROW(MPI_ERR_COUNT, function, data, 1, MPI_INT, 0, 1, &data[1], -1, MPI_INT, 0, 1, MPI_COMM_SELF, last),         \
      ROW(MPI_ERR_TYPE, function, data, 1, MPI_INT, 0, 1, &data[1], 1, MPI_DATATYPE_NULL, 0, 1, MPI_COMM_SELF, last), \
      ROW(MPI_ERR_RANK, function, data, 1, MPI_INT, 9, 1, &data[1], 1, MPI_INT, 0, 1, MPI_COMM_SELF, last),           \
      ROW(MPI_ERR_RANK, function, data, 1, MPI_INT, 0, 1, &data[1], 1, MPI_INT, 9, 1, MPI_COMM_SELF, last),           \
      ROW(MPI_ERR_TAG, function, data, 1, MPI_INT, 0, -1, &data[1], 1, MPI_INT, 0, 1, MPI_COMM_SELF, last)
#define REPLACE_ROWS(function, last)                                                            \
  ROW(MPI_ERR_COMM, function, data, 1, MPI_INT, 0, 1, 0, 1, MPI_COMM_NULL, last),               \
      ROW(MPI_ERR_COUNT, function, data, -1, MPI_INT, 0, 1, 0, 1, MPI_COMM_SELF, last),         \
      ROW(MPI_ERR_TYPE, function, data, 1, MPI_DATATYPE_NULL, 0, 1, 0, 1, MPI_COMM_SELF, last), \
      ROW(MPI_ERR_RANK, function, data, 1, MPI_INT, 5, 1, 0, 1, MPI_COMM_SELF, last),           \
      ROW(MPI_ERR_RANK, function, data, 1, MPI_INT, 0, 1, 5, 1, MPI_COMM_SELF, last)

TEST_F(Refusals, SendsWithReceives) {
  expect({PAIR_ROWS(MPI_Sendrecv, &status), PAIR_ROWS(MPI_Isendrecv, &request), PAIR_ROWS(MPI_Sendrecv_c, &status),
          REPLACE_ROWS(MPI_Sendrecv_replace, &status), REPLACE_ROWS(MPI_Isendrecv_replace, &request)});
}

TEST_F(Refusals, Probes) {
  expect({ROW(MPI_ERR_COMM, MPI_Probe, 0, 1, MPI_COMM_NULL, &status),
          ROW(MPI_ERR_RANK, MPI_Probe, 3, 1, MPI_COMM_SELF, &status),
          ROW(MPI_ERR_TAG, MPI_Probe, 0, -9, MPI_COMM_SELF, &status),
          ROW(MPI_ERR_COMM, MPI_Iprobe, 0, 1, MPI_COMM_NULL, &flag, &status),
          ROW(MPI_ERR_RANK, MPI_Iprobe, -8, 1, MPI_COMM_SELF, &flag, &status),
          ROW(MPI_ERR_ARG, MPI_Iprobe, 0, 1, MPI_COMM_SELF, nullptr, &status),
          ROW(MPI_ERR_COMM, MPI_Mprobe, 0, 1, MPI_COMM_NULL, &message, &status),
          ROW(MPI_ERR_ARG, MPI_Mprobe, 0, 1, MPI_COMM_SELF, nullptr, &status),
          ROW(MPI_ERR_RANK, MPI_Improbe, 2, 1, MPI_COMM_SELF, &flag, &message, &status),
          ROW(MPI_ERR_REQUEST, MPI_Mrecv, data, 1, MPI_INT, &message, &status),
          ROW(MPI_ERR_COUNT, MPI_Mrecv, data, -1, MPI_INT, &message, &status),
          ROW(MPI_ERR_REQUEST, MPI_Imrecv, data, 1, MPI_INT, &message, &request),
          ROW(MPI_ERR_TYPE, MPI_Imrecv, data, 1, MPI_DATATYPE_NULL, &message, &request)});
}

TEST_F(Refusals, Requests) {
  MPI_Request one;
  ASSERT_OK(MPI_Irecv(data, 1, MPI_INT, MPI_PROC_NULL, 1, MPI_COMM_SELF, &one));
  MPI_Request freed[2] = {one, one};
  ASSERT_OK(MPI_Wait(&one, MPI_STATUS_IGNORE));
  const auto calls = [&](MPI_Request* bad) {
    expect({ROW(MPI_ERR_REQUEST, MPI_Wait, bad, &status), ROW(MPI_ERR_REQUEST, MPI_Test, bad, &flag, &status),
            ROW(MPI_ERR_REQUEST, MPI_Waitall, 2, bad, MPI_STATUSES_IGNORE),
            ROW(MPI_ERR_REQUEST, MPI_Testall, 2, bad, &flag, MPI_STATUSES_IGNORE),
            ROW(MPI_ERR_REQUEST, MPI_Waitany, 2, bad, &index, &status),
            ROW(MPI_ERR_REQUEST, MPI_Testany, 2, bad, &index, &flag, &status),
            ROW(MPI_ERR_REQUEST, MPI_Waitsome, 2, bad, &index, some, MPI_STATUSES_IGNORE),
            ROW(MPI_ERR_REQUEST, MPI_Testsome, 2, bad, &index, some, MPI_STATUSES_IGNORE),
            ROW(MPI_ERR_REQUEST, MPI_Request_free, bad), ROW(MPI_ERR_REQUEST, MPI_Cancel, bad),
            ROW(MPI_ERR_REQUEST, MPI_Start, bad), ROW(MPI_ERR_REQUEST, MPI_Startall, 2, bad),
            ROW(MPI_ERR_REQUEST, MPI_Request_get_status, *bad, &flag, &status),
            ROW(MPI_ERR_REQUEST, MPI_Request_get_status_all, 2, bad, &flag, MPI_STATUSES_IGNORE),
            ROW(MPI_ERR_REQUEST, MPI_Request_get_status_any, 2, bad, &index, &flag, &status),
            ROW(MPI_ERR_REQUEST, MPI_Request_get_status_some, 2, bad, &index, some, MPI_STATUSES_IGNORE),
            ROW(MPI_ERR_REQUEST, MPI_Grequest_complete, *bad)});
  };
  calls(freed);
  MPI_Request made_up[2] = {cow::test::made_up<MPI_Request>(), cow::test::made_up<MPI_Request>()};
  calls(made_up);
  expect({ROW(MPI_ERR_ARG, MPI_Test, freed, nullptr, &status),
          ROW(MPI_ERR_ARG, MPI_Waitall, -1, freed, MPI_STATUSES_IGNORE),
          ROW(MPI_ERR_ARG, MPI_Testsome, -1, freed, &index, some, MPI_STATUSES_IGNORE)});
  MPI_Request null = MPI_REQUEST_NULL;
  expect({ROW(MPI_ERR_REQUEST, MPI_Request_free, &null), ROW(MPI_ERR_REQUEST, MPI_Cancel, &null),
          ROW(MPI_ERR_REQUEST, MPI_Start, &null), ROW(MPI_ERR_REQUEST, MPI_Grequest_complete, null)});
  // A request that cannot be started.
  ASSERT_OK(MPI_Irecv(data, 1, MPI_INT, MPI_PROC_NULL, 1, MPI_COMM_SELF, &one));
  expect({ROW(MPI_ERR_REQUEST, MPI_Start, &one), ROW(MPI_ERR_REQUEST, MPI_Grequest_complete, one)});
  ASSERT_OK(MPI_Wait(&one, MPI_STATUS_IGNORE));
}

TEST_F(Refusals, Communicators) {
  MPI_Info bad_info = cow::test::made_up<MPI_Info>();
  MPI_Group bad_group = cow::test::made_up<MPI_Group>();
  expect({ROW(MPI_ERR_COMM, MPI_Comm_dup, MPI_COMM_NULL, &made), ROW(MPI_ERR_ARG, MPI_Comm_dup, MPI_COMM_SELF, nullptr),
          ROW(MPI_ERR_INFO, MPI_Comm_dup_with_info, MPI_COMM_SELF, bad_info, &made),
          ROW(MPI_ERR_COMM, MPI_Comm_idup, MPI_COMM_NULL, &made, &request),
          ROW(MPI_ERR_INFO, MPI_Comm_idup_with_info, MPI_COMM_SELF, bad_info, &made, &request),
          ROW(MPI_ERR_COMM, MPI_Comm_create, MPI_COMM_NULL, MPI_GROUP_EMPTY, &made),
          ROW(MPI_ERR_GROUP, MPI_Comm_create, MPI_COMM_SELF, bad_group, &made),
          ROW(MPI_ERR_GROUP, MPI_Comm_create_group, MPI_COMM_SELF, MPI_GROUP_NULL, 1, &made),
          ROW(MPI_ERR_COMM, MPI_Comm_split, MPI_COMM_NULL, 0, 0, &made),
          ROW(MPI_ERR_ARG, MPI_Comm_split, MPI_COMM_SELF, -5, 0, &made),
          ROW(MPI_ERR_COMM, MPI_Intercomm_create, MPI_COMM_NULL, 0, MPI_COMM_SELF, 0, 1, &made),
          ROW(MPI_ERR_RANK, MPI_Intercomm_create, MPI_COMM_SELF, 4, MPI_COMM_SELF, 0, 1, &made),
          ROW(MPI_ERR_COMM, MPI_Intercomm_merge, MPI_COMM_SELF, 0, &made)});
  EXPECT_EQ(made, MPI_COMM_NULL);
}

TEST_F(Refusals, Buffers) {
  int size;
  MPI_Count large_size;
  expect({ROW(MPI_ERR_BUFFER, MPI_Buffer_detach, &pointer, &size), ROW(MPI_ERR_COUNT, MPI_Buffer_attach, data, -1),
          ROW(MPI_ERR_BUFFER, MPI_Buffer_attach, nullptr, 10), ROW(MPI_ERR_ARG, MPI_Buffer_iflush, nullptr),
          ROW(MPI_ERR_BUFFER, MPI_Buffer_detach_c, &pointer, &large_size),
          ROW(MPI_ERR_COMM, MPI_Comm_attach_buffer, MPI_COMM_NULL, data, 4),
          ROW(MPI_ERR_COUNT, MPI_Comm_attach_buffer, MPI_COMM_SELF, data, -4),
          ROW(MPI_ERR_BUFFER, MPI_Comm_detach_buffer, MPI_COMM_SELF, &pointer, &size),
          ROW(MPI_ERR_COMM, MPI_Comm_flush_buffer, MPI_COMM_NULL),
          ROW(MPI_ERR_COMM, MPI_Comm_iflush_buffer, MPI_COMM_NULL, &request),
          ROW(MPI_ERR_SESSION, MPI_Session_attach_buffer_c, MPI_SESSION_NULL, data, 4),
          ROW(MPI_ERR_SESSION, MPI_Session_detach_buffer_c, MPI_SESSION_NULL, &pointer, &large_size)});
}

TEST_F(Refusals, StatusesAndErrors) {
  int value;
  MPI_Count count;
  expect({ROW(MPI_ERR_ARG, MPI_Status_get_source, nullptr, &value),
          ROW(MPI_ERR_ARG, MPI_Status_get_tag, &status, nullptr),
          ROW(MPI_ERR_ARG, MPI_Status_get_error, nullptr, &value),
          ROW(MPI_ERR_ARG, MPI_Status_set_source, nullptr, 1),
          ROW(MPI_ERR_ARG, MPI_Status_set_tag, nullptr, 1),
          ROW(MPI_ERR_ARG, MPI_Status_set_error, nullptr, 1),
          ROW(MPI_ERR_ARG, MPI_Status_set_cancelled, nullptr, 1),
          ROW(MPI_ERR_ARG, MPI_Test_cancelled, nullptr, &flag),
          ROW(MPI_ERR_TYPE, MPI_Status_set_elements, &status, MPI_DATATYPE_NULL, 1),
          ROW(MPI_ERR_COUNT, MPI_Status_set_elements, &status, MPI_INT, -1),
          ROW(MPI_ERR_TYPE, MPI_Get_elements_x, &status, MPI_DATATYPE_NULL, &count),
          ROW(MPI_ERR_TYPE, MPI_Type_size, MPI_DATATYPE_NULL, &value),
          ROW(MPI_ERR_ARG, MPI_Type_size, MPI_INT, nullptr),
          ROW(MPI_ERR_ARG, MPI_Error_class, -3, &value),
          ROW(MPI_ERR_ARG, MPI_Error_class, MPI_ERR_RANK, nullptr),
          ROW(MPI_ERR_ARG, MPI_Add_error_class, nullptr),
          ROW(MPI_ERR_ARG, MPI_Add_error_code, -3, &value),
          ROW(MPI_ERR_ARG, MPI_Add_error_string, MPI_ERR_RANK, "mine now"),
          ROW(MPI_ERR_ARG, MPI_Remove_error_class, MPI_ERR_RANK),
          ROW(MPI_ERR_ARG, MPI_Remove_error_code, MPI_ERR_RANK),
          ROW(MPI_ERR_ARG, MPI_Remove_error_string, MPI_ERR_RANK)});
}

TEST_F(Refusals, TheProcess) {
  int value;
  char name[MPI_MAX_PROCESSOR_NAME];
  expect({ROW(MPI_ERR_ARG, MPI_Initialized, nullptr), ROW(MPI_ERR_ARG, MPI_Finalized, nullptr),
          ROW(MPI_ERR_ARG, MPI_Query_thread, nullptr), ROW(MPI_ERR_ARG, MPI_Is_thread_main, nullptr),
          ROW(MPI_ERR_ARG, MPI_Get_version, nullptr, &value), ROW(MPI_ERR_ARG, MPI_Get_processor_name, name, nullptr),
          ROW(MPI_ERR_ARG, MPI_Alloc_mem, -1, MPI_INFO_NULL, &pointer),
          ROW(MPI_ERR_ARG, MPI_Get_address, data, nullptr), ROW(MPI_ERR_ARG, MPI_Abi_get_version, nullptr, &value),
          ROW(MPI_ERR_ARG, MPI_Abi_get_info, nullptr), ROW(MPI_ERR_OTHER, MPI_Init, nullptr, nullptr),
          ROW(MPI_ERR_ARG, MPI_Info_create, nullptr),
          ROW(MPI_ERR_ARG, MPI_Comm_create_keyval, MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, nullptr, nullptr),
          ROW(MPI_ERR_ARG, MPI_Session_create_errhandler, nullptr, nullptr)});
}

}  // namespace
