// Low numbers of descriptors, kept free for PMIx: it waits for its listener with select(), which ends the process where the
// number is above 1023, and it starts when the descriptors of all ranks are open.
#pragma once

#include <cstddef>
#include <vector>

namespace cow::launch {

// How many are worth keeping on a node with so many ranks: where all numbers stay low, none.
constexpr std::size_t descriptors_kept_low(std::size_t ranks) { return ranks < 256 ? 0 : 32; }

class LowDescriptors {
 public:
  LowDescriptors() = default;
  explicit LowDescriptors(std::size_t count);  // takes the lowest that are free
  LowDescriptors(const LowDescriptors&) = delete;
  LowDescriptors& operator=(const LowDescriptors&) = delete;
  LowDescriptors& operator=(LowDescriptors&& other) noexcept {
    held_.swap(other.held_);
    return *this;
  }
  ~LowDescriptors();  // frees them

 private:
  std::vector<int> held_;
};

}  // namespace cow::launch
