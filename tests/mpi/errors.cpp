// Wrong arguments come back as errors whose message says the call, its arguments and the communicator; truncation tells
// both sizes.
#include <gmock/gmock.h>

#include "support/ranks.hpp"

namespace {

using testing::HasSubstr;

// Errors that belong to no communicator go to MPI_COMM_SELF, or to MPI_COMM_WORLD in older versions of the standard.
class ReturnEverywhere {
 public:
  ReturnEverywhere() { set(MPI_ERRORS_RETURN); }
  ReturnEverywhere(const ReturnEverywhere&) = delete;
  ReturnEverywhere& operator=(const ReturnEverywhere&) = delete;
  ~ReturnEverywhere() { set(MPI_ERRORS_ARE_FATAL); }

 private:
  static void set(MPI_Errhandler handler) {
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler);
    MPI_Comm_set_errhandler(MPI_COMM_SELF, handler);
  }
};

class Errors : public testing::Test {
 protected:
  int me = ranks::rank(), n = ranks::count();
  int data[4] = {};
  ranks::ReturningComm comm;

  void SetUp() override { MPI_Comm_set_name(comm, "galley"); }
};

// The class that the standard asks for, and a text with every word that a reader needs.
#define EXPECT_EXPLAINED(call, expected, ...)                                       \
  do {                                                                              \
    const int code_ = call;                                                         \
    EXPECT_EQ(ranks::error_class(code_), expected);                                 \
    if (!ranks::foreign()) {                                                        \
      const std::string text_ = ranks::error_text(code_);                           \
      for (const char* word_ : {__VA_ARGS__}) EXPECT_THAT(text_, HasSubstr(word_)); \
    }                                                                               \
  } while (false)

TEST_F(Errors, RankThatDoesNotExist) {
  const std::string there = std::to_string(n);
  EXPECT_EXPLAINED(MPI_Send(data, 4, MPI_INT, n, 1, comm), MPI_ERR_RANK, "MPI_Send", "count=4", "MPI_INT", "galley",
                   there.c_str());
  EXPECT_EXPLAINED(MPI_Send(data, 4, MPI_INT, -77, 1, comm), MPI_ERR_RANK, "MPI_Send", "-77");
  MPI_Request request = MPI_REQUEST_NULL;
  EXPECT_EXPLAINED(MPI_Irecv(data, 4, MPI_INT, n + 5, 1, comm, &request), MPI_ERR_RANK, "MPI_Irecv", "galley");
  EXPECT_EQ(request, MPI_REQUEST_NULL);
  EXPECT_EXPLAINED(MPI_Send(data, 4, MPI_INT, MPI_ANY_SOURCE, 1, comm), MPI_ERR_RANK, "MPI_Send");
}

TEST_F(Errors, BadTag) {
  EXPECT_EXPLAINED(MPI_Send(data, 1, MPI_INT, 0, -3, comm), MPI_ERR_TAG, "MPI_Send", "-3");
  EXPECT_EXPLAINED(MPI_Send(data, 1, MPI_INT, 0, MPI_ANY_TAG, comm), MPI_ERR_TAG, "MPI_Send");
  EXPECT_EXPLAINED(MPI_Recv(data, 1, MPI_INT, 0, -5, comm, MPI_STATUS_IGNORE), MPI_ERR_TAG, "MPI_Recv", "-5");
}

TEST_F(Errors, NegativeCount) {
  EXPECT_EXPLAINED(MPI_Send(data, -1, MPI_INT, 0, 1, comm), MPI_ERR_COUNT, "MPI_Send", "-1");
  EXPECT_EXPLAINED(MPI_Recv(data, -2, MPI_INT, 0, 1, comm, MPI_STATUS_IGNORE), MPI_ERR_COUNT, "MPI_Recv", "-2");
}

TEST_F(Errors, NullAndFreedHandles) {
  EXPECT_EXPLAINED(MPI_Send(data, 1, MPI_DATATYPE_NULL, 0, 1, comm), MPI_ERR_TYPE, "MPI_Send");
  const ReturnEverywhere guard;  // there is no communicator whose handler could be asked
  EXPECT_EXPLAINED(MPI_Send(data, 1, MPI_INT, 0, 1, MPI_COMM_NULL), MPI_ERR_COMM, "MPI_Send");
  if (!ranks::foreign()) {  // a freed handle that is looked up, never read through
    MPI_Comm gone;
    ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_SELF, &gone));
    const MPI_Comm kept = gone;
    ASSERT_MPI_OK(MPI_Comm_free(&gone));
    EXPECT_EXPLAINED(MPI_Send(data, 1, MPI_INT, 0, 1, kept), MPI_ERR_COMM, "MPI_Send");
  }
}

TEST_F(Errors, NullBuffer) { EXPECT_EXPLAINED(MPI_Send(nullptr, 1, MPI_INT, 0, 1, comm), MPI_ERR_BUFFER, "MPI_Send"); }

TEST_F(Errors, BadRoot) {
  EXPECT_EXPLAINED(MPI_Bcast(data, 1, MPI_INT, n, comm), MPI_ERR_ROOT, "MPI_Bcast", "galley");
  EXPECT_EXPLAINED(MPI_Bcast(data, 1, MPI_INT, -9, comm), MPI_ERR_ROOT, "MPI_Bcast");
}

// Truncated messages: eager, and too large to be sent at once. The receive fails, the sender does not, and what comes
// next on the communicator is unharmed.
TEST_F(Errors, Truncation) {
  const int next = (me + 1) % n, previous = (me + n - 1) % n;
  for (const int sent : {100, 500'000}) {
    SCOPED_TRACE("sent " + std::to_string(sent));
    std::vector<char> out(static_cast<std::size_t>(sent), 'x'), in(static_cast<std::size_t>(sent), '-');
    const int fits = sent / 2;
    MPI_Request request;
    ASSERT_MPI_OK(MPI_Isend(out.data(), sent, MPI_CHAR, next, 4, comm, &request));
    const std::string sent_text = std::to_string(sent), fits_text = std::to_string(fits);
    EXPECT_EXPLAINED(MPI_Recv(in.data(), fits, MPI_CHAR, previous, 4, comm, MPI_STATUS_IGNORE), MPI_ERR_TRUNCATE,
                     "MPI_Recv", sent_text.c_str(), fits_text.c_str(), "galley");
    EXPECT_EQ(in[static_cast<std::size_t>(fits)], '-') << "wrote past the buffer";
    EXPECT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    int token = -1;
    EXPECT_MPI_OK(MPI_Sendrecv(&me, 1, MPI_INT, next, 5, &token, 1, MPI_INT, previous, 5, comm, MPI_STATUS_IGNORE));
    EXPECT_EQ(token, previous);
  }
}

// One of several requests fails: MPI_ERR_IN_STATUS, and each status tells about its own.
// Calls that name only a message or a request: their errors are those of its communicator. MPI_COMM_SELF's are fatal here.
TEST_F(Errors, OfMessagesAndRequests) {
  int out[2] = {1, 2}, in = 0;
  MPI_Request send, receive;
  MPI_Message message;
  for (const bool blocking : {true, false}) {
    ASSERT_MPI_OK(MPI_Isend(out, 2, MPI_INT, me, 4, comm, &send));
    ASSERT_MPI_OK(MPI_Mprobe(me, 4, comm, &message, MPI_STATUS_IGNORE));
    if (blocking) {
      EXPECT_EXPLAINED(MPI_Mrecv(&in, 1, MPI_INT, &message, MPI_STATUS_IGNORE), MPI_ERR_TRUNCATE, "MPI_Mrecv", "galley",
                       "8 bytes");
    } else {
      ASSERT_MPI_OK(MPI_Imrecv(&in, 1, MPI_INT, &message, &receive));
      EXPECT_EXPLAINED(MPI_Wait(&receive, MPI_STATUS_IGNORE), MPI_ERR_TRUNCATE, "MPI_Wait", "galley", "8 bytes");
    }
    EXPECT_EQ(message, MPI_MESSAGE_NULL);
    ASSERT_MPI_OK(MPI_Wait(&send, MPI_STATUS_IGNORE));
  }
  ASSERT_MPI_OK(MPI_Recv_init(&in, 1, MPI_INT, me, 4, comm, &receive));
  ASSERT_MPI_OK(MPI_Start(&receive));
  EXPECT_MPI_ERROR(MPI_Start(&receive), MPI_ERR_REQUEST);
  EXPECT_MPI_ERROR(MPI_Startall(1, &receive), MPI_ERR_REQUEST);
  EXPECT_MPI_ERROR(MPI_Pready(0, receive), MPI_ERR_REQUEST);
  EXPECT_MPI_ERROR(MPI_Pready_range(1, 0, receive), MPI_ERR_ARG);
  int flag;
  EXPECT_MPI_ERROR(MPI_Parrived(receive, 0, &flag), MPI_ERR_REQUEST);
  ASSERT_MPI_OK(MPI_Cancel(&receive));
  ASSERT_MPI_OK(MPI_Wait(&receive, MPI_STATUS_IGNORE));
  ASSERT_MPI_OK(MPI_Request_free(&receive));
  ASSERT_MPI_OK(MPI_Bsend_init(out, 2, MPI_INT, me, 4, comm, &send));
  EXPECT_MPI_ERROR(MPI_Start(&send), MPI_ERR_BUFFER);
  ASSERT_MPI_OK(MPI_Request_free(&send));
}

TEST_F(Errors, OneOfSeveralRequests) {
  const ReturnEverywhere guard;
  int small = 0, fine = 0;
  const int out[2] = {1, 2};
  MPI_Request requests[2];
  MPI_Status statuses[2];
  ASSERT_MPI_OK(MPI_Irecv(&small, 1, MPI_INT, me, 6, comm, &requests[0]));
  ASSERT_MPI_OK(MPI_Irecv(&fine, 1, MPI_INT, me, 7, comm, &requests[1]));
  ASSERT_MPI_OK(MPI_Send(out, 2, MPI_INT, me, 6, comm));
  ASSERT_MPI_OK(MPI_Send(out, 1, MPI_INT, me, 7, comm));
  EXPECT_MPI_ERROR(MPI_Waitall(2, requests, statuses), MPI_ERR_IN_STATUS);
  EXPECT_MPI_ERROR(statuses[0].MPI_ERROR, MPI_ERR_TRUNCATE);
  if (ranks::error_class(statuses[1].MPI_ERROR) == MPI_ERR_PENDING) {  // neither failed nor complete so far
    EXPECT_MPI_OK(MPI_Wait(&requests[1], MPI_STATUS_IGNORE));
  } else {
    EXPECT_MPI_ERROR(statuses[1].MPI_ERROR, MPI_SUCCESS);
  }
  EXPECT_EQ(fine, 1);
}

}  // namespace
