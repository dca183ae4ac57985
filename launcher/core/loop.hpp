// The event loop of mpirun and of the agent: descriptors, timers, and signals as descriptors. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <set>

#include "launcher/core/time.hpp"

namespace cow::launch {

class Loop {
 public:
  using Ready = std::function<void(short events)>;
  using Due = std::function<void()>;

  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // Calls `ready` while any of `events` (poll(2)'s) or an error is there. One watch per descriptor: the last wins. Regular
  // files are always ready.
  void watch(int fd, short events, Ready ready);
  void set_events(int fd, short events);  // 0: hang-ups are not told either, until events are wanted again
  void forget(int fd);
  bool watches(int fd) const { return watches_.count(fd) != 0; }

  // Calls `due` once, after `delay`. The number cancels it and is never 0.
  std::uint64_t after(Duration delay, Due due);
  void cancel(std::uint64_t timer);

  void run();  // until stop()
  void stop() { running_ = false; }

 private:
  struct Watch {
    short events;
    std::uint32_t number;  // tells it from an earlier watch of the same descriptor, of which events may still come
    std::shared_ptr<Ready> ready;  // shared: a watch may be forgotten by the function that it is just calling
    bool enlisted = false;         // epoll has it
  };
  void enlist(int fd, Watch& watch);
  void strike_off(int fd, Watch& watch);
  void enlist_all_again();
  void wait();
  int time_left() const;  // until the next timer, as epoll wants it
  void call(const Watch& watch, short events);
  void call_for(std::uint64_t mark, short events);
  void call_refused();
  void run_timers();

  int epoll_;
  std::map<int, Watch> watches_;
  std::set<int> refused_;  // those that epoll does not take, of which something is wanted
  std::uint32_t last_watch_ = 0;
  std::uint64_t suspect_ = 0;  // the mark of an event that belonged to no watch
  std::map<std::pair<Instant, std::uint64_t>, Due> timers_;
  std::uint64_t last_timer_ = 0;
  bool running_ = false;
};

// Blocks `signals` in this thread (and those it starts later) and returns a close-on-exec descriptor that reports
// them. `before` takes the mask that was in force, for the children.
int open_signals(std::initializer_list<int> signals, void* before_mask);

}  // namespace cow::launch
