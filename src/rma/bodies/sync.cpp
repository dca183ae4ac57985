// Synchronisation of one-sided communication.
#include "rma/sync.hpp"

#include <atomic>

#include "api/bodies.hpp"
#include "pt2pt/waiting.hpp"

namespace cow {

using rma::window_of;

Error body::Win_fence(int assert, Win& win) { return rma::fence(window_of(win), assert); }
Error body::Win_post(Group& group, int assert, Win& win) { return rma::post(window_of(win), group, assert); }
Error body::Win_start(Group& group, int assert, Win& win) { return rma::start(window_of(win), group, assert); }
Error body::Win_complete(Win& win) { return rma::complete(window_of(win)); }
Error body::Win_wait(Win& win) { return rma::wait(window_of(win)); }

Error body::Win_test(Win& win, int* flag) {
  bool over = false;
  if (Error error = rma::test(window_of(win), over)) return error;
  *flag = over;
  return success;
}

Error body::Win_lock(int lock_type, int rank, int assert, Win& win) {
  return rma::lock(window_of(win), lock_type, rank, assert);
}
Error body::Win_unlock(int rank, Win& win) { return rma::unlock(window_of(win), rank); }
Error body::Win_lock_all(int assert, Win& win) { return rma::lock_all(window_of(win), assert); }
Error body::Win_unlock_all(Win& win) { return rma::unlock_all(window_of(win)); }
Error body::Win_flush(int rank, Win& win) { return rma::flush(window_of(win), rank, true); }
Error body::Win_flush_local(int rank, Win& win) { return rma::flush(window_of(win), rank, false); }
Error body::Win_flush_all(Win& win) { return rma::flush_all(window_of(win), true); }
Error body::Win_flush_local_all(Win& win) { return rma::flush_all(window_of(win), false); }

// Also makes progress: programs wait in loops over it for what others write.
Error body::Win_sync(Win&) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  pt2pt::poll_asked();
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return success;
}

}  // namespace cow
