// The functions of mpix.h.
#pragma GCC visibility push(default)
#include <mpix.h>
#pragma GCC visibility pop

int MPIX_Cow_version(int* major, int* minor, int* patch) {
  if (major) *major = COW_MPI_VERSION_MAJOR;
  if (minor) *minor = COW_MPI_VERSION_MINOR;
  if (patch) *patch = COW_MPI_VERSION_PATCH;
  return MPI_SUCCESS;
}
