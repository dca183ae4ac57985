// What is wrong with an access, in the user's terms.
#pragma once

#include "rma/access.hpp"

namespace cow::rma {

// `element`: of accumulations, the predefined type that all is made of. `place`: where the access begins, in bytes from
// the beginning of the target's memory (an address in dynamic windows).
Error check(Window& window, const AccessArgs& args, const Datatype*& element, MPI_Aint& place);

Error check_rank(const Window& window, int rank);

// The ABI's number of a predefined type: the same at all ranks.
unsigned number_of(const Datatype& type);

}  // namespace cow::rma
