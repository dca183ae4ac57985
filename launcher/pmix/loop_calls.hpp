// Hands work from another thread (PMIx calls back on its own) over to the loop's thread.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "launcher/core/loop.hpp"

namespace cow::launch {

class LoopCalls {
 public:
  explicit LoopCalls(Loop& loop);
  LoopCalls(const LoopCalls&) = delete;
  LoopCalls& operator=(const LoopCalls&) = delete;
  ~LoopCalls();

  void post(std::function<void()> work);  // any thread
  void drain();                           // the loop's thread: does what is there now, with no lock held

 private:
  Loop& loop_;
  int event_;
  std::mutex mutex_;
  std::vector<std::function<void()>> work_;
};

}  // namespace cow::launch
