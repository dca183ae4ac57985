// Epochs: fences, post and start, locks, flushes.
#pragma once

#include "objects/group.hpp"
#include "rma/window.hpp"

namespace cow::rma {

Error fence(Window& window, int assertion);
Error post(Window& window, Group& group, int assertion);
Error start(Window& window, Group& group, int assertion);
Error complete(Window& window);
Error wait(Window& window);
Error test(Window& window, bool& over);
Error lock(Window& window, int type, int rank, int assertion);
Error unlock(Window& window, int rank);
Error lock_all(Window& window, int assertion);
Error unlock_all(Window& window);

// `at_target`: MPI_Win_flush; else MPI_Win_flush_local.
Error flush(Window& window, int rank, bool at_target);
Error flush_all(Window& window, bool at_target);
Error flush_everything(Window& window);  // in whatever epoch

// An error while an epoch is open that the program must end first.
Error may_free(const Window& window);

// At the target, from the handler.
void ask_door(Window& window, int origin, Lock lock);
void leave_door(Window& window);

}  // namespace cow::rma
