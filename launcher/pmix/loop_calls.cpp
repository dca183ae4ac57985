#include "launcher/pmix/loop_calls.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace cow::launch {

LoopCalls::LoopCalls(Loop& loop) : loop_(loop), event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  loop_.watch(event_, POLLIN, [this](short) {
    eventfd_t count;
    eventfd_read(event_, &count);
    drain();
  });
}

LoopCalls::~LoopCalls() {
  loop_.forget(event_);
  close(event_);
}

void LoopCalls::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
  }
  eventfd_write(event_, 1);
}

void LoopCalls::drain() {
  std::vector<std::function<void()>> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(work_);
  }
  for (const auto& work : taken) work();
}

}  // namespace cow::launch
