#include "api/start.hpp"

#include <pthread.h>

#include "base/settings.hpp"
#include "pt2pt/fast_path.hpp"
#include "runtime/lock.hpp"

namespace cow::api {

Mode mode = Mode::not_running;
bool forked = false;

namespace {

bool started = false;
bool ended = false;
int sessions = 0;
int level = 0;
pthread_t main_thread;

void update() {
  const bool running = (started && !ended) || sessions > 0;
  mode = !running || forked ? Mode::not_running : settings().checks != "no" ? Mode::checked : Mode::unchecked;
}

// Called by fork() in the child, and by vfork() and posix_spawn() not at all. Sets variables, and nothing else.
void leave_to_parent() {
  forked = true;
  update();
  pt2pt::allow_short_path(false);
  runtime::forget_threads();
}

}  // namespace

void world_started(int thread_level) {
  started = true;
  level = thread_level;
  main_thread = pthread_self();
  update();
}

void world_ended() {
  ended = true;
  update();
}

bool world_was_started() { return started; }
bool world_was_ended() { return ended || (started && forked); }
bool world_is_running() { return started && !ended && !forked; }
int thread_level() { return level; }
bool is_main_thread() { return started && pthread_equal(main_thread, pthread_self()); }

void session_started(int thread_level) {
  ++sessions;
  if (!started && thread_level > level) level = thread_level;
  update();
}

void session_ended() {
  --sessions;
  update();
}

void watch_forks() { pthread_atfork(nullptr, nullptr, leave_to_parent); }

}  // namespace cow::api
