// What functions of the program throw reaches the caller of MPI, and MPI works afterwards; so does a thread's cancellation.
#include <gmock/gmock.h>
#include <mpix.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <new>
#include <stdexcept>
#include <thread>

#include "support/ranks.hpp"

namespace {

struct Thrown : std::runtime_error {
  using std::runtime_error::runtime_error;
};

int rank() { return ranks::rank(); }
int size() { return ranks::count(); }

// All locks are free and nothing is out of step: another thread can call, and all ranks meet.
void expect_whole() {
  int level;
  MPI_Query_thread(&level);
  const auto exchange = [] {
    int out = rank(), in = -1;
    MPI_Sendrecv(&out, 1, MPI_INT, (rank() + 1) % size(), 5, &in, 1, MPI_INT, (rank() + size() - 1) % size(), 5,
                 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    EXPECT_EQ(in, (rank() + size() - 1) % size());
  };
  if (level == MPI_THREAD_MULTIPLE)
    std::thread(exchange).join();
  else
    exchange();
  int sum = 0, one = 1;
  MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  EXPECT_EQ(sum, size());
}

extern "C" {
void handler_throws(MPI_Comm*, int*, ...) { throw Thrown("error handler"); }
void handler_throws_bad_alloc(MPI_Comm*, int*, ...) { throw std::bad_alloc(); }
void op_throws(void*, void*, int*, MPI_Datatype*) { throw Thrown("operation"); }
int copy_throws(MPI_Comm, int, void*, void*, void*, int*) { throw Thrown("copy"); }
int type_copy_throws(MPI_Datatype, int, void*, void*, void*, int*) { throw Thrown("copy"); }
bool delete_shall_throw = true;
int delete_throws(MPI_Comm, int, void*, void*) {
  if (delete_shall_throw) throw Thrown("delete");
  return MPI_SUCCESS;
}
bool query_shall_throw = true, free_shall_throw = true;
int query_throws(void*, MPI_Status* status) {
  if (query_shall_throw) throw Thrown("query");
  MPI_Status_set_elements(status, MPI_BYTE, 0);
  MPI_Status_set_cancelled(status, 0);
  return MPI_SUCCESS;
}
int free_throws(void*) {
  if (free_shall_throw) throw Thrown("free");
  return MPI_SUCCESS;
}
int cancel_throws(void*, int) { throw Thrown("cancel"); }
void continuation_throws(int, void*) { throw Thrown("continuation"); }
void message_throws(const MPIX_Am_message*, void* state) {
  ++*static_cast<int*>(state);
  throw Thrown("active message");
}
}

template <class Function>
class WithHandler {
 public:
  explicit WithHandler(Function* function) {
    MPI_Comm_create_errhandler(function, &handler_);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler_);
  }
  ~WithHandler() {
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Errhandler_free(&handler_);
  }

 private:
  MPI_Errhandler handler_;
};

TEST(Throws, ErrorHandler) {
  const WithHandler handler(handler_throws);
  int byte = 0;
  EXPECT_THROW(MPI_Send(&byte, 1, MPI_INT, size() + 3, 0, MPI_COMM_WORLD), Thrown);
  EXPECT_THROW(MPI_Comm_call_errhandler(MPI_COMM_WORLD, MPI_ERR_OTHER), Thrown);
  MPI_Request request;
  int small = 0, large[2] = {};
  MPI_Irecv(&small, 1, MPI_INT, rank(), 1, MPI_COMM_WORLD, &request);
  MPI_Send(large, 2, MPI_INT, rank(), 1, MPI_COMM_WORLD);
  EXPECT_THROW(MPI_Wait(&request, MPI_STATUS_IGNORE), Thrown);
  EXPECT_EQ(request, MPI_REQUEST_NULL);
  expect_whole();
}

// It is the program's own, and no sign that the library is out of memory.
TEST(Throws, BadAllocOfTheProgramPasses) {
  const WithHandler handler(handler_throws_bad_alloc);
  int byte = 0;
  EXPECT_THROW(MPI_Send(&byte, 1, MPI_INT, size() + 3, 0, MPI_COMM_WORLD), std::bad_alloc);
  expect_whole();
}

TEST(Throws, Operation) {
  MPI_Op op;
  MPI_Op_create(op_throws, 1, &op);
  int from = 1, to = 2;
  EXPECT_THROW(MPI_Reduce_local(&from, &to, 1, MPI_INT, op), Thrown);
  MPI_Comm comm;
  MPI_Comm_dup(MPI_COMM_WORLD, &comm);
  if (size() == 2) {  // rank 1 has nothing to combine, and rank 0 waits for nobody afterwards
    if (rank() == 0)
      EXPECT_THROW(MPI_Reduce(&from, &to, 1, MPI_INT, op, 0, comm), Thrown);
    else
      EXPECT_EQ(MPI_Reduce(&from, &to, 1, MPI_INT, op, 0, comm), MPI_SUCCESS);
  }
  MPI_Comm_free(&comm);
  MPI_Op_free(&op);
  expect_whole();
}

TEST(Throws, OperationOfANonblockingCollective) {
  MPI_Comm comm;
  MPI_Comm_dup(MPI_COMM_WORLD, &comm);
  MPI_Op op;
  MPI_Op_create(op_throws, 1, &op);
  int from = 1, to = 2;
  MPI_Request request;
  MPI_Iallreduce(&from, &to, 1, MPI_INT, op, comm, &request);
  int thrown = 0;
  for (int tries = 0; request != MPI_REQUEST_NULL && tries < 100; ++tries) try {
      MPI_Wait(&request, MPI_STATUS_IGNORE);
    } catch (const Thrown&) {
      ++thrown;
    }
  EXPECT_EQ(request, MPI_REQUEST_NULL);
  int any = 0;
  MPI_Allreduce(&thrown, &any, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  EXPECT_EQ(any > 0, size() > 1);
  MPI_Op_free(&op);
  MPI_Comm_free(&comm);
  expect_whole();
}

TEST(Throws, Attributes) {
  int key, type_key;
  MPI_Comm_create_keyval(copy_throws, delete_throws, &key, nullptr);
  MPI_Comm comm, copy = MPI_COMM_NULL;
  MPI_Comm_dup(MPI_COMM_WORLD, &comm);
  MPI_Comm_set_attr(comm, key, nullptr);
  EXPECT_THROW(MPI_Comm_dup(comm, &copy), Thrown);
  EXPECT_EQ(copy, MPI_COMM_NULL);
  EXPECT_THROW(MPI_Comm_set_attr(comm, key, &key), Thrown);
  EXPECT_THROW(MPI_Comm_delete_attr(comm, key), Thrown);
  EXPECT_THROW(MPI_Comm_free(&comm), Thrown);
  void* value = &key;
  int found = 0;
  MPI_Comm_get_attr(comm, key, &value, &found);
  EXPECT_TRUE(found);
  EXPECT_EQ(value, nullptr);
  delete_shall_throw = false;
  EXPECT_EQ(MPI_Comm_free(&comm), MPI_SUCCESS);
  MPI_Comm_free_keyval(&key);

  MPI_Type_create_keyval(type_copy_throws, MPI_TYPE_NULL_DELETE_FN, &type_key, nullptr);
  MPI_Datatype type, other = MPI_DATATYPE_NULL;
  MPI_Type_contiguous(2, MPI_INT, &type);
  MPI_Type_set_attr(type, type_key, nullptr);
  EXPECT_THROW(MPI_Type_dup(type, &other), Thrown);
  MPI_Type_free(&type);
  MPI_Type_free_keyval(&type_key);
  expect_whole();
}

TEST(Throws, GeneralizedRequest) {
  query_shall_throw = free_shall_throw = true;
  MPI_Request request;
  MPI_Grequest_start(query_throws, free_throws, cancel_throws, nullptr, &request);
  EXPECT_THROW(MPI_Cancel(&request), Thrown);
  MPI_Grequest_complete(request);
  EXPECT_THROW(MPI_Wait(&request, MPI_STATUS_IGNORE), Thrown);
  EXPECT_NE(request, MPI_REQUEST_NULL);
  query_shall_throw = false;
  EXPECT_THROW(MPI_Wait(&request, MPI_STATUS_IGNORE), Thrown);  // of the free function: the request has ended
  EXPECT_EQ(request, MPI_REQUEST_NULL);
  expect_whole();
}

TEST(Throws, Continuation) {
  int byte = 0;
  for (const int flags : {0, MPIX_CONT_IMMEDIATE}) {
    MPI_Request request, set;
    MPIX_Continue_init(&set);
    MPI_Irecv(&byte, 1, MPI_INT, rank(), 3, MPI_COMM_WORLD, &request);
    MPI_Send(&byte, 1, MPI_INT, rank(), 3, MPI_COMM_WORLD);
    EXPECT_THROW(
        {
          MPIX_Continue(&request, continuation_throws, nullptr, flags, MPI_STATUS_IGNORE, set);
          MPI_Wait(&set, MPI_STATUS_IGNORE);
        },
        Thrown);
    EXPECT_EQ(MPI_Wait(&set, MPI_STATUS_IGNORE), MPI_SUCCESS);  // the callback has ended
    MPI_Request_free(&set);
  }
  expect_whole();
}

// From rank 1, if there is one, to rank 0, which asks for it when it is ready for what the handler throws.
TEST(Throws, ActiveMessage) {
  int handled = 0, index, token = 0;
  MPI_Comm comm;
  MPI_Comm_dup(MPI_COMM_WORLD, &comm);
  MPIX_Am_register(comm, message_throws, &handled, MPIX_AM_PROGRESS, &index);
  const int sender = size() > 1 ? 1 : 0;
  if (rank() == 0 && sender != 0) MPI_Send(&token, 1, MPI_INT, sender, 6, MPI_COMM_WORLD);
  if (rank() == sender) {
    if (sender != 0) MPI_Recv(&token, 1, MPI_INT, 0, 6, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPIX_Am_send(comm, 0, index, nullptr, 0, nullptr, 0);
  }
  bool thrown = rank() != 0;
  while (!thrown) try {
      MPIX_Progress_until(&handled);
      MPIX_Progress(nullptr);
    } catch (const Thrown&) {
      thrown = true;
    }
  EXPECT_EQ(handled, rank() == 0);
  MPI_Comm_free(&comm);
  expect_whole();
}

// A thread that waits for what never comes is cancelled; what it waited with is forgotten.
template <class Wait>
void expect_cancelled(Wait wait) {
  static std::atomic<bool> begun, unwound;
  begun = unwound = false;
  struct Unwound {
    ~Unwound() { unwound = true; }
  };
  std::thread thread([&] {
    const Unwound at_end;
    begun = true;
    wait();
  });
  const pthread_t handle = thread.native_handle();
  while (!begun) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(pthread_cancel(handle), 0);
  thread.join();
  EXPECT_TRUE(unwound);
}

TEST(Cancelled, InReceiveSendAndProbe) {
  int level;
  MPI_Query_thread(&level);
  if (level < MPI_THREAD_MULTIPLE) GTEST_SKIP();
  expect_cancelled([] {
    int never;
    MPI_Recv(&never, 1, MPI_INT, MPI_ANY_SOURCE, 77, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  });
  expect_cancelled([] {
    const int never = 0;
    MPI_Ssend(&never, 1, MPI_INT, (rank() + 1) % size(), 78, MPI_COMM_WORLD);
  });
  expect_cancelled([] { MPI_Probe(MPI_ANY_SOURCE, 79, MPI_COMM_WORLD, MPI_STATUS_IGNORE); });
  expect_whole();
  int found = 1;
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Iprobe(MPI_ANY_SOURCE, 78, MPI_COMM_WORLD, &found, MPI_STATUS_IGNORE);
  EXPECT_FALSE(found);
  // A receive that is forgotten takes no message.
  int out = 7, in = 0;
  MPI_Send(&out, 1, MPI_INT, rank(), 77, MPI_COMM_WORLD);
  MPI_Recv(&in, 1, MPI_INT, rank(), 77, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  EXPECT_EQ(in, 7);
}

}  // namespace
