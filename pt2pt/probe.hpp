// Probes and matched receives.
#pragma once

#include "pt2pt/pt2pt.hpp"

namespace cow {

// A message taken out of the queue by MPI_Mprobe, which only MPI_Mrecv can receive.
struct Message : Object {
  void* unexpected = nullptr;  // pt2pt's own
  Comm* comm = nullptr;        // referenced
};

}  // namespace cow

namespace cow::pt2pt {

// Whether a message that matches is there; fills the status (which may be null). Does not poll.
bool find_message(const Comm& comm, int source, int tag, MPI_Status* status);

// The same, and takes the message out: it belongs to `out`, an object with a handle.
Error take_message(Comm& comm, int source, int tag, MPI_Status* status, Message*& out);

// Receives a message that was taken out; ends the object.
Error irecv_message(void* buffer, MPI_Count count, Datatype& type, Message& message, Request*& out);

}  // namespace cow::pt2pt
