// Reading and writing statuses.
#include "api/bodies.hpp"
#include "objects/request.hpp"

namespace cow {

Error body::Status_get_source(const MPI_Status* status, int* source) {
  *source = status->MPI_SOURCE;
  return success;
}

Error body::Status_get_tag(const MPI_Status* status, int* tag) {
  *tag = status->MPI_TAG;
  return success;
}

Error body::Status_get_error(const MPI_Status* status, int* error) {
  *error = status->MPI_ERROR;
  return success;
}

Error body::Status_set_source(MPI_Status* status, int source) {
  status->MPI_SOURCE = source;
  return success;
}

Error body::Status_set_tag(MPI_Status* status, int tag) {
  status->MPI_TAG = tag;
  return success;
}

Error body::Status_set_error(MPI_Status* status, int error) {
  status->MPI_ERROR = error;
  return success;
}

Error body::Status_set_cancelled(MPI_Status* status, int flag) {
  set_cancelled(*status, flag != 0);
  return success;
}

Error body::Test_cancelled(const MPI_Status* status, int* flag) {
  *flag = is_cancelled(*status);
  return success;
}

}  // namespace cow
