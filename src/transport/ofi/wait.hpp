// The descriptor that a port sleeps on.
#pragma once

namespace cow::transport::ofi {

// For net of libfabric 1.17. The descriptor that libfabric gives is an epoll set of two: the sockets' own epoll set,
// and the queue's signal, which is raised by the first completion and lowered by nobody: fi_trywait does not, so that
// whoever sleeps on the descriptor never sleeps again. The signal is for completions that another thread puts into the
// queue, and a port has only one thread at a time; so it is taken out of the set. (It being raised for ever, libfabric
// does not write to it a second time, which spares a system call for each completion.) Without effect when the set is
// not as described.
void drop_signal(int wait_fd);

}  // namespace cow::transport::ofi
