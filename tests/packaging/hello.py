"""The program that stands for a user's, and what two ranks of it print."""
PROGRAM = r"""
#include <mpi.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    int rank, size, left = -1;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Sendrecv(&rank, 1, MPI_INT, (rank + 1) % size, 0, &left, 1, MPI_INT, (rank + size - 1) % size, 0, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
    printf("%d of %d heard %d\n", rank, size, left);
    MPI_Finalize();
    return 0;
}
"""


def check(test, printed):
    """What was printed ends with a job of two ranks."""
    lines = printed.splitlines()
    test.assertEqual(sorted(lines[-2:]), ["0 of 2 heard 1", "1 of 2 heard 0"], printed)
