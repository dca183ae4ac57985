#include "launcher/pmix/low_descriptors.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace cow::launch {

LowDescriptors::LowDescriptors(std::size_t count) {
  while (held_.size() < count) {
    const int fd = fcntl(0, F_DUPFD_CLOEXEC, 3);
    if (fd < 0) return;
    held_.push_back(fd);
  }
}

LowDescriptors::~LowDescriptors() {
  for (const int fd : held_) close(fd);
}

}  // namespace cow::launch
