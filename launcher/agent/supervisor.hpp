// The supervisor of a node: the agent's parent, in a session of its own, to which everything below the agent falls back
// when its parents die. It does nothing but wait, so there is nothing in it that could fail; when the agent is gone,
// however it went, it kills whatever is left.
#pragma once

#include <sys/types.h>

#include <functional>

namespace cow::launch {

// Makes the calling process the supervisor and runs `agent` in a child. `keepalive`: hangs up when mpirun is gone. Returns
// in the supervisor, with the exit status to use: the agent's, or 128 + the signal that killed it.
int supervise_agent(int keepalive, const std::function<int(pid_t supervisor)>& agent);

// A supervisor passes USR1 and USR2 on to its agent as these, so that the agent can tell them from what was sent to it directly.
int passed_on(int signal);

}  // namespace cow::launch
