// Whose error handler gets the error of the present call, where the call's arguments name no communicator (MPI_Wait).
#pragma once

namespace cow {

struct Comm;

// The error that the calling thread is about to return happened on this communicator. Null: forget it.
void blame(Comm* comm);

// The communicator that was blamed last, or null; forgotten from now on. It comes with a reference: release it.
Comm* take_blamed();

}  // namespace cow
