// Sessions before, during and after MPI_Init … MPI_Finalize, many of them, several at once, ending at different times.
// Argument: how many rounds of each.
#include <mpi.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                        \
    }                                                                 \
  } while (false)

namespace {

MPI_Session open_session() {
  MPI_Session session = MPI_SESSION_NULL;
  CHECK(MPI_Session_init(MPI_INFO_NULL, MPI_ERRORS_ARE_FATAL, &session) == MPI_SUCCESS);
  CHECK(session != MPI_SESSION_NULL);
  return session;
}

void close_session(MPI_Session& session) {
  CHECK(MPI_Session_finalize(&session) == MPI_SUCCESS);
  CHECK(session == MPI_SESSION_NULL);
}

MPI_Comm communicator_of(MPI_Session session, const char* set, const char* tag) {
  MPI_Group group;
  CHECK(MPI_Group_from_session_pset(session, set, &group) == MPI_SUCCESS);
  MPI_Comm comm = MPI_COMM_NULL;
  CHECK(MPI_Comm_create_from_group(group, tag, MPI_INFO_NULL, MPI_ERRORS_ARE_FATAL, &comm) == MPI_SUCCESS);
  CHECK(MPI_Group_free(&group) == MPI_SUCCESS);
  return comm;
}

// A ring, and a sum over all.
void use(MPI_Comm comm, int salt) {
  int me, n;
  CHECK(MPI_Comm_rank(comm, &me) == MPI_SUCCESS && MPI_Comm_size(comm, &n) == MPI_SUCCESS);
  int out = me * 1000 + salt, in = -1;
  CHECK(MPI_Sendrecv(&out, 1, MPI_INT, (me + 1) % n, salt, &in, 1, MPI_INT, (me + n - 1) % n, salt, comm,
                     MPI_STATUS_IGNORE) == MPI_SUCCESS);
  CHECK(in == (me + n - 1) % n * 1000 + salt);
  int sum = -1;
  CHECK(MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, comm) == MPI_SUCCESS);
  CHECK(sum == n * (n - 1) / 2);
}

void one_round(int salt) {
  MPI_Session session = open_session();
  MPI_Comm all = communicator_of(session, "mpi://WORLD", "round"),
           self = communicator_of(session, "mpi://SELF", "round");
  use(all, salt);
  use(self, salt);
  CHECK(MPI_Comm_free(&all) == MPI_SUCCESS && MPI_Comm_free(&self) == MPI_SUCCESS);
  close_session(session);
}

void several_at_once(int salt) {
  constexpr int many = 5;
  MPI_Session sessions[many];
  MPI_Comm comms[many];
  for (int i = 0; i < many; ++i) {
    sessions[i] = open_session();
    comms[i] = communicator_of(sessions[i], "mpi://WORLD", "the same tag");
  }
  for (int i = many - 1; i >= 0; --i) use(comms[i], salt + i);
  for (int i = 0; i < many; ++i) {
    CHECK(MPI_Comm_free(&comms[i]) == MPI_SUCCESS);
    close_session(sessions[i]);
  }
}

// The first rank is through long before the others look: what it sent must arrive all the same.
void an_early_end() {
  MPI_Session session = open_session();
  MPI_Comm all = communicator_of(session, "mpi://WORLD", "early");
  int me, n;
  MPI_Comm_rank(all, &me);
  MPI_Comm_size(all, &n);
  std::vector<int> data(3000, 7);
  if (me == 0) {
    for (int to = 1; to < n; ++to)
      for (int i = 0; i < 20; ++i) CHECK(MPI_Send(data.data(), 3000, MPI_INT, to, i, all) == MPI_SUCCESS);
  } else {
    usleep(200'000);
    for (int i = 0; i < 20; ++i) {
      data.assign(3000, 0);
      CHECK(MPI_Recv(data.data(), 3000, MPI_INT, 0, i, all, MPI_STATUS_IGNORE) == MPI_SUCCESS);
      CHECK(data.front() == 7 && data.back() == 7);
    }
  }
  CHECK(MPI_Comm_free(&all) == MPI_SUCCESS);
  close_session(session);
}

void expect_flags(int initialized, int finalized) {
  int flag = -1;
  CHECK(MPI_Initialized(&flag) == MPI_SUCCESS && flag == initialized);
  CHECK(MPI_Finalized(&flag) == MPI_SUCCESS && flag == finalized);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? atoi(argv[1]) : 10;
  for (int i = 0; i < rounds; ++i) one_round(i);
  several_at_once(100);
  an_early_end();
  expect_flags(0, 0);

  CHECK(MPI_Init(&argc, &argv) == MPI_SUCCESS);
  expect_flags(1, 0);
  use(MPI_COMM_WORLD, 1);
  for (int i = 0; i < rounds; ++i) one_round(i);
  use(MPI_COMM_WORLD, 2);
  MPI_Session lasting = open_session();
  MPI_Comm comm = communicator_of(lasting, "mpi://WORLD", "lasting");
  CHECK(MPI_Finalize() == MPI_SUCCESS);
  expect_flags(1, 1);

  use(comm, 3);
  several_at_once(200);
  CHECK(MPI_Comm_free(&comm) == MPI_SUCCESS);
  close_session(lasting);

  for (int i = 0; i < rounds; ++i) one_round(i);
  an_early_end();
  return 0;
}
