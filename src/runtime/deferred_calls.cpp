// What other threads (PMIx's) want done under the progress lock.
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/job.hpp"
#include "runtime/progress.hpp"

namespace cow::runtime {
namespace {

struct DeferredCalls : progress::Source {
  std::mutex mutex;
  std::vector<std::function<void()>> letters;
  std::atomic<bool> filled{false};
  bool registered = false;
};

DeferredCalls& deferred_calls() {
  static DeferredCalls& instance = *new DeferredCalls;  // PMIx's thread may use it after static destructors have run
  return instance;
}

std::size_t open_letters(progress::Source&) {
  DeferredCalls& box = deferred_calls();
  if (!box.filled.load(std::memory_order_acquire)) return 0;
  std::vector<std::function<void()>> letters;
  {
    std::lock_guard guard(box.mutex);
    letters.swap(box.letters);
    box.filled.store(false, std::memory_order_relaxed);
  }
  for (auto& letter : letters) letter();
  return letters.size();
}

}  // namespace

// Called under the progress lock by join_job.
void open_deferred_calls() {
  DeferredCalls& box = deferred_calls();
  if (std::exchange(box.registered, true)) return;
  box.poll = open_letters;
  box.may_sleep = [](progress::Source&) { return !deferred_calls().filled.load(std::memory_order_seq_cst); };
  progress::add(box);
}

void run_in_progress(std::function<void()> run) {
  DeferredCalls& box = deferred_calls();
  {
    std::lock_guard guard(box.mutex);
    box.letters.push_back(std::move(run));
    box.filled.store(true, std::memory_order_seq_cst);
  }
  progress::wake();
}

}  // namespace cow::runtime
