#include "launcher/core/loop.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <vector>

namespace cow::launch {

void Loop::watch(int fd, short events, Ready ready) {
  watches_[fd] = {events, std::make_shared<Ready>(std::move(ready))};
}

void Loop::set_events(int fd, short events) {
  if (const auto found = watches_.find(fd); found != watches_.end()) found->second.events = events;
}

void Loop::forget(int fd) { watches_.erase(fd); }

std::uint64_t Loop::after(Nanoseconds delay, Due due) {
  timers_.emplace(std::pair{now() + delay, ++last_timer_}, std::move(due));
  return last_timer_;
}

void Loop::cancel(std::uint64_t timer) {
  std::erase_if(timers_, [&](const auto& entry) { return entry.first.second == timer; });
}

void Loop::run() {
  running_ = true;
  while (running_) {
    wait();
    run_timers();
  }
}

void Loop::wait() {
  std::vector<pollfd> polled;
  polled.reserve(watches_.size());
  for (const auto& [fd, watch] : watches_) {
    if (watch.events != 0) polled.push_back({fd, watch.events, 0});
  }
  int timeout = -1;
  if (!timers_.empty()) {
    const Nanoseconds left = std::max<Nanoseconds>(0, timers_.begin()->first.first - now());
    timeout = static_cast<int>(std::min<Nanoseconds>((left + millisecond - 1) / millisecond, 60'000));
  }
  if (poll(polled.data(), polled.size(), timeout) <= 0) return;
  for (const pollfd& entry : polled) {
    if (entry.revents == 0) continue;
    // Whoever was called before may have forgotten this descriptor, or want nothing of it any more.
    const auto found = watches_.find(entry.fd);
    if (found == watches_.end() || found->second.events == 0) continue;
    const std::shared_ptr<Ready> ready = found->second.ready;
    (*ready)(entry.revents);
    if (!running_) return;
  }
}

void Loop::run_timers() {
  while (running_ && !timers_.empty() && timers_.begin()->first.first <= now()) {
    const Due due = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    due();
  }
}

int open_signals(std::initializer_list<int> signals, void* before_mask) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : signals) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, static_cast<sigset_t*>(before_mask));
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

}  // namespace cow::launch
