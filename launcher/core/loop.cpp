#include "launcher/core/loop.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace cow::launch {
namespace {

static_assert(POLLIN == EPOLLIN && POLLPRI == EPOLLPRI && POLLOUT == EPOLLOUT && POLLERR == EPOLLERR &&
              POLLHUP == EPOLLHUP && POLLRDHUP == EPOLLRDHUP);
constexpr short always_told = POLLERR | POLLHUP | POLLNVAL;

// What epoll keeps with a descriptor, and gives back with its events.
std::uint64_t mark_of(int fd, std::uint32_t number) {
  return std::uint64_t{number} << 32 | static_cast<std::uint32_t>(fd);
}

int open_epoll() {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  COW_INVARIANT(fd >= 0);
  return fd;
}

}  // namespace

Loop::Loop() : epoll_(open_epoll()) {}

Loop::~Loop() { close(epoll_); }

void Loop::watch(int fd, short events, Ready ready) {
  Watch& watch = watches_[fd];
  watch.events = events;
  watch.number = ++last_watch_;
  watch.ready = std::make_shared<Ready>(std::move(ready));
  enlist(fd, watch);
}

void Loop::set_events(int fd, short events) {
  const auto found = watches_.find(fd);
  if (found == watches_.end() || found->second.events == events) return;
  found->second.events = events;
  enlist(fd, found->second);
}

void Loop::forget(int fd) {
  const auto found = watches_.find(fd);
  if (found == watches_.end()) return;
  strike_off(fd, found->second);
  watches_.erase(found);
}

// Tells epoll what is wanted now. One that wants nothing is struck off, because epoll would tell its hang-up for ever.
void Loop::enlist(int fd, Watch& watch) {
  if (watch.events == 0) return strike_off(fd, watch);
  epoll_event event{};
  event.events = static_cast<std::uint32_t>(watch.events);
  event.data.u64 = mark_of(fd, watch.number);
  // A descriptor that was closed has left epoll by itself, and its number may be another file's by now.
  const bool changed = watch.enlisted && epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0;
  watch.enlisted = changed || epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0 ||
                   (errno == EEXIST && epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0);
  if (watch.enlisted) {
    refused_.erase(fd);
  } else {
    refused_.insert(fd);
  }
}

void Loop::strike_off(int fd, Watch& watch) {
  refused_.erase(fd);
  if (std::exchange(watch.enlisted, false)) epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

// A descriptor that was closed without being forgotten stays in epoll while its file is open under another number, here or in
// a child; it cannot be struck off any more, and its events would come for ever.
void Loop::enlist_all_again() {
  close(epoll_);
  epoll_ = open_epoll();
  for (auto& [fd, watch] : watches_) {
    watch.enlisted = false;
    enlist(fd, watch);
  }
}

std::uint64_t Loop::after(Duration delay, Due due) {
  timers_.emplace(std::pair{Clock::now() + delay, ++last_timer_}, std::move(due));
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

int Loop::time_left() const { return timers_.empty() ? -1 : poll_timeout(timers_.begin()->first.first - Clock::now()); }

void Loop::wait() {
  epoll_event events[64];
  const int count = epoll_wait(epoll_, events, std::size(events), refused_.empty() ? time_left() : 0);
  for (int i = 0; i < count && running_; ++i) call_for(events[i].data.u64, static_cast<short>(events[i].events));
  if (running_ && !refused_.empty()) call_refused();
}

void Loop::call(const Watch& watch, short events) {
  // Whoever was called before may want other things by now.
  events &= static_cast<short>(watch.events | always_told);
  if (watch.events == 0 || events == 0) return;
  const std::shared_ptr<Ready> ready = watch.ready;
  (*ready)(events);
}

void Loop::call_for(std::uint64_t mark, short events) {
  const int fd = static_cast<int>(mark & ~std::uint32_t{0});
  const auto found = watches_.find(fd);
  if (found != watches_.end() && mark_of(fd, found->second.number) == mark) return call(found->second, events);
  // Of a watch that was forgotten a moment ago, by another that was called; or, when it comes again, of one that epoll keeps.
  if (std::exchange(suspect_, mark) == mark) enlist_all_again();
}

// What epoll refuses is a file that never lets anybody wait, or no descriptor at all.
void Loop::call_refused() {
  const std::vector<int> refused(refused_.begin(), refused_.end());
  for (const int fd : refused) {
    const auto found = watches_.find(fd);
    if (!running_ || found == watches_.end() || found->second.enlisted) continue;
    pollfd polled{fd, found->second.events, 0};
    if (poll(&polled, 1, 0) == 1) call(found->second, polled.revents);
  }
}

void Loop::run_timers() {
  while (running_ && !timers_.empty() && timers_.begin()->first.first <= Clock::now()) {
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
