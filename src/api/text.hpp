// Arguments in the words of messages.
#pragma once

#include <cstddef>

#include "api/report.hpp"

namespace cow {
struct Comm;
}

namespace cow::api {

// "MPI_Send(buf=0x7ffc…, count=4, datatype=MPI_INT, dest=7, tag=1, comm=MPI_COMM_WORLD)", cut to `size` with "…)".
void describe_call(Signature signature, const Word* words, char* out, std::size_t size);

// "MPI_COMM_WORLD", the name that the program gave, or "the communicator". Valid until the thread asks again.
const char* name_of(const Comm& comm);

}  // namespace cow::api
