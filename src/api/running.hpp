// The library's life in a process: it runs while the world model or a session uses it, and may begin again after its end.
// In between it is parked: the network stays as it is, since the peers know its address, but nobody polls. What is parked
// is closed when the process exits. The launcher is told after the world's end that this process may end, and after the
// last session's only at exit: to leave PMIx and join again many times is more than its server can take (a fence that
// began about then may never end, 4.2.2).
#pragma once

#include "base/error.hpp"

namespace cow::api {

// A use begins: `required` is the level of thread support asked for, `provided` what this use has.
Error begin_use(int required, int& provided);

// The end of a session. The last use waits until its peers have handled what it has sent.
Error end_use();

// The end of the world model: a barrier of the whole job.
Error end_world_use();

// Starts the progress thread, from when on every call takes the lock. To be called with the lock held, whatever the level.
Error use_progress_thread();

// A session can be had at this level while others go on.
int allowed_level(int required);

}  // namespace cow::api
