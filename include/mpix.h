/* mpix.h: what COW MPI offers beyond the standard. C89 and later, C++98 and later.
 *
 * Names begin with MPIX_ and are no part of the standard ABI: a program that uses them needs COW MPI. */
#ifndef MPIX_H_COW
#define MPIX_H_COW

#include <mpi.h>

#define COW_MPI 1 /* this header is COW MPI's */
#define COW_MPI_VERSION_MAJOR 0
#define COW_MPI_VERSION_MINOR 1
#define COW_MPI_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that the program runs with, which may differ from the one that it was compiled with.
 * Any of the pointers may be null. May be called at any time. Returns MPI_SUCCESS. */
int MPIX_Cow_version(int *major, int *minor, int *patch);

#ifdef __cplusplus
}
#endif

#endif /* MPIX_H_COW */
