// Leaving the library without a barrier of the whole job.
//
// Sessions end at some ranks while others go on, and some ranks may never have used MPI. But a rank that closes its
// connections, or only stops polling, must know that what it has sent has been handled: a connection that ends takes with
// it what the other side has not read. So each rank tells those that it hears from, when it leaves or is asked, how many of
// their messages it has handled, and leaves when all of its own have been. A rank that may have ended is told nothing:
// it would not have ended without knowing.
#pragma once

namespace cow::pt2pt {

void open_quiesce();  // registers the handler

// Waits until all that this process has sent has been handled.
void leave();
// The same before a barrier of the whole job, which does the waiting.
void leave_together();
// Waits until everything that was posted has left. To be called before that barrier.
void drain();

}  // namespace cow::pt2pt
