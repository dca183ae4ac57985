// The functions of mpix.h.
#pragma GCC visibility push(default)
#include <mpix.h>
#pragma GCC visibility pop

#include "api/build_info.hpp"

static_assert(COW_MPI_VERSION_MAJOR == cow::build_info::version_major &&
                  COW_MPI_VERSION_MINOR == cow::build_info::version_minor &&
                  COW_MPI_VERSION_PATCH == cow::build_info::version_patch,
              "include/mpix.h tells another version than CMakeLists.txt");

int MPIX_Cow_version(int* major, int* minor, int* patch) {
  if (major) *major = COW_MPI_VERSION_MAJOR;
  if (minor) *minor = COW_MPI_VERSION_MINOR;
  if (patch) *patch = COW_MPI_VERSION_PATCH;
  return MPI_SUCCESS;
}
