// Whether a program is waiting to read a pipe, seen from outside.
#pragma once

#include <sys/types.h>

namespace cow::launch {

// Whether some thread of `root` or of a process below it waits in read, poll, select or epoll_wait for the pipe with
// this inode number. Where the kernel does not let us look, the answer is yes.
bool waits_for_pipe(pid_t root, ino_t pipe);

}  // namespace cow::launch
