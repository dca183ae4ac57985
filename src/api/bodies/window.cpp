// Windows: there is only the null handle yet.
#include "api/bodies.hpp"
#include "api/object_name.hpp"

namespace cow {

Error body::Win_get_name(Win* win, char* win_name, int* resultlen) {
  if (win) return fail(ErrorClass::unsupported_operation, "COW MPI does not offer windows yet");
  return api::give_name("MPI_WIN_NULL", win_name, resultlen);
}

}  // namespace cow
