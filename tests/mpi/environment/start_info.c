/* How the process was started, asked before MPI_Init, between, and after MPI_Finalize: the answer is the same. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { keys = 11, moments = 3 };
static const char* const key_names[keys] = {"command",
                                            "argv",
                                            "maxprocs",
                                            "soft",
                                            "host",
                                            "arch",
                                            "wdir",
                                            "file",
                                            "thread_level",
                                            "mpi_memory_alloc_kinds",
                                            "mpi_initial_errhandler"};
static char seen[moments][keys][512];

static void look(int argc, char** argv, int moment) {
  MPI_Info info;
  MPI_Info_create_env(argc, argv, &info);
  for (int i = 0; i < keys; ++i) {
    int length = sizeof seen[moment][i], flag = 0;
    MPI_Info_get_string(info, key_names[i], &length, seen[moment][i], &flag);
    if (!flag) strcpy(seen[moment][i], "(none)");
  }
  MPI_Info_free(&info);
}

int main(int argc, char** argv) {
  int size = 0, wrong = 0;
  look(argc, argv, 0);
  MPI_Init(&argc, &argv);
  look(argc, argv, 1);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  MPI_Finalize();
  look(argc, argv, 2);
  for (int i = 0; i < keys; ++i) {
    if (strcmp(seen[0][i], seen[1][i]) == 0 && strcmp(seen[1][i], seen[2][i]) == 0) continue;
    fprintf(stderr, "%s: \"%s\" before, \"%s\" between, \"%s\" after\n", key_names[i], seen[0][i], seen[1][i],
            seen[2][i]);
    wrong = 1;
  }
  if (atoi(seen[0][2]) == size) return wrong;
  fprintf(stderr, "maxprocs is %s, and there are %d ranks\n", seen[0][2], size);
  return 1;
}
