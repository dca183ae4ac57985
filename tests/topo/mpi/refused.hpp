// What the tests of refused calls share.
#pragma once

#include "support/ranks.hpp"

// The call fails with the class, and its message has the word.
#define EXPECT_REFUSED(call, expected, word)                                                         \
  do {                                                                                               \
    const int code_ = call;                                                                          \
    EXPECT_EQ(ranks::error_class(code_), expected) << #call << ": " << ranks::error_text(code_);     \
    if (!ranks::foreign()) {                                                                         \
      EXPECT_NE(ranks::error_text(code_).find(word), std::string::npos) << ranks::error_text(code_); \
    }                                                                                                \
  } while (false)

// An intercommunicator between the lower and the upper half of the ranks, which must be two or more.
class Bridge {
 public:
  Bridge() {
    const int me = ranks::rank(), half = ranks::count() / 2;
    MPI_Comm_split(MPI_COMM_WORLD, me < half, me, &side_);
    MPI_Intercomm_create(side_, 0, MPI_COMM_WORLD, me < half ? half : 0, 5, &comm_);
    MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN);
  }
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;
  ~Bridge() {
    MPI_Comm_free(&comm_);
    MPI_Comm_free(&side_);
  }
  operator MPI_Comm() const { return comm_; }

 private:
  MPI_Comm side_ = MPI_COMM_NULL, comm_ = MPI_COMM_NULL;
};

// What MPI_Topo_test says.
inline int topology_of(MPI_Comm comm) {
  int status = -1;
  EXPECT_MPI_OK(MPI_Topo_test(comm, &status));
  return status;
}
