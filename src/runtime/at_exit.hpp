// What this library does when the process exits, and nothing else: its static objects are never destroyed (at_exit_only.cpp
// in src/api sees to that), since exit() also runs in children that the program forks, where closing an endpoint would
// take it out of the epoll set that the child has in common with its parent, and since the program and other threads may
// use the library while it runs.
#pragma once

namespace cow::runtime {

// Runs `what` when the process exits that was the last to ask for anything: not in children that it forks.
void at_exit(void (*what)());

// How at_exit() registers it. `what` is the function's address.
void run_in_own_process(void* what);

}  // namespace cow::runtime
