#include "objects/completion_fd.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "objects/request.hpp"

namespace cow {

bool completions_announced = false;

namespace {

int for_all = -1;

void make_readable(int descriptor) {
  const std::uint64_t one = 1;
  (void)!write(descriptor, &one, sizeof one);
}

}  // namespace

Error completion_fd(Comm* comm, int& out) {
  int& descriptor = comm ? comm->completion_fd : for_all;
  if (descriptor < 0) descriptor = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) return fail(ErrorClass::other, "no descriptor: %s", strerror(errno));
  completions_announced = true;
  out = descriptor;
  return success;
}

void announce_completion(const Comm* comm) {
  if (for_all >= 0) make_readable(for_all);
  if (comm && comm->completion_fd >= 0) make_readable(comm->completion_fd);
}

void close_completion_fd(Comm& comm) {
  if (comm.completion_fd >= 0) close(std::exchange(comm.completion_fd, -1));
}

void close_completion_fds() {
  completions_announced = false;
  if (for_all >= 0) close(std::exchange(for_all, -1));
}

}  // namespace cow
