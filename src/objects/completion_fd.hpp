// Descriptors for event loops: an eventfd becomes readable when a request has completed, of one communicator or of any, or
// (the one for any) when a message has come that no receive waits for.
//
// Who reads it empty before he tests his requests misses nothing: whatever completes after the read makes it readable
// again. It needs the progress thread, since nobody else moves messages while the program sleeps in its own loop.
#pragma once

#include "objects/comm.hpp"

namespace cow {

// The descriptor of a communicator (null: for all of the process), made at the first call, readable from then on. The
// library closes it.
Error completion_fd(Comm* comm, int& out);
void close_completion_fd(Comm& comm);
void close_completion_fds();  // the one for all; nothing is announced any more

}  // namespace cow
