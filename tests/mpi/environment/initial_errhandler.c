/* Started with -initial-errhandler mpi_errors_return: errors return before the start, between, and after the end, and the
   kinds of memory asked for beside are told. */
#include <mpi.h>
#include <stdio.h>
#include <string.h>

static int wrong;

static void expect(int condition, const char* what) {
  if (condition) return;
  fprintf(stderr, "wrong: %s\n", what);
  wrong = 1;
}

static void expect_value(MPI_Info info, const char* key, const char* wanted, const char* what) {
  char value[MPI_MAX_INFO_VAL] = "";
  int length = sizeof value, flag = 0;
  MPI_Info_get_string(info, key, &length, value, &flag);
  expect(flag && strcmp(value, wanted) == 0, what);
}

static void expect_kinds(MPI_Info info, const char* kinds, const char* what) {
  expect_value(info, "mpi_memory_alloc_kinds", kinds, what);
}

static void expect_handler(MPI_Comm comm, const char* what) {
  MPI_Errhandler handler;
  MPI_Comm_get_errhandler(comm, &handler);
  expect(handler == MPI_ERRORS_RETURN, what);
}

static void try_session(const char* asked, const char* kinds) {
  MPI_Info info, used;
  MPI_Session session;
  MPI_Group group;
  MPI_Comm comm;
  MPI_Info_create(&info);
  if (asked) MPI_Info_set(info, "mpi_memory_alloc_kinds", asked);
  MPI_Session_init(info, MPI_ERRORS_ARE_FATAL, &session);
  MPI_Session_get_info(session, &used);
  expect_kinds(used, kinds, "kinds of a session");
  MPI_Info_free(&used);
  MPI_Group_from_session_pset(session, "mpi://SELF", &group);
  MPI_Comm_create_from_group(group, "kinds", MPI_INFO_NULL, MPI_ERRORS_ARE_FATAL, &comm);
  MPI_Comm_get_info(comm, &used);
  expect_kinds(used, kinds, "kinds of a communicator of a session");
  MPI_Info_free(&used);
  MPI_Comm_free(&comm);
  MPI_Group_free(&group);
  MPI_Session_finalize(&session);
  MPI_Info_free(&info);
}

int main(int argc, char** argv) {
  int size;
  MPI_Info info;
  expect(MPI_Comm_size(MPI_COMM_WORLD, &size) != MPI_SUCCESS, "a call before the start returns");
  MPI_Init(&argc, &argv);
  expect_handler(MPI_COMM_WORLD, "handler of MPI_COMM_WORLD");
  expect_handler(MPI_COMM_SELF, "handler of MPI_COMM_SELF");
  expect(MPI_Send(&size, -1, MPI_INT, 0, 0, MPI_COMM_WORLD) != MPI_SUCCESS, "an error between returns");
  MPI_Comm_get_info(MPI_COMM_WORLD, &info);
  expect_kinds(info, "mpi,system,mpi:alloc_mem", "kinds of MPI_COMM_WORLD");
  expect_kinds(MPI_INFO_ENV, "mpi,system,mpi:alloc_mem", "kinds of MPI_INFO_ENV");
  expect_value(MPI_INFO_ENV, "mpi_initial_errhandler", "mpi_errors_return", "handler of MPI_INFO_ENV");
  MPI_Info_free(&info);
  try_session(NULL, "mpi,system,mpi:alloc_mem");
  try_session("system,rocm:device,mpi:win_allocate:alloc_mem,mpi:other", "mpi,system,mpi:win_allocate:alloc_mem");
  try_session("", "mpi,system");
  MPI_Finalize();
  expect(MPI_Comm_size(MPI_COMM_WORLD, &size) != MPI_SUCCESS, "a call after the end returns");
  return wrong;
}
