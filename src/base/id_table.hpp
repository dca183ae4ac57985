// Numbers for things that a peer refers to: an index and a few bits of generation in 32 bits, so that a number that is
// stale or made up is found out instead of being followed.
#pragma once

#include <cstdint>
#include <vector>

namespace cow {

template <class T>
class IdTable {
 public:
  std::uint32_t insert(T& object) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.push_back({});
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    slots_[index].object = &object;
    return slots_[index].generation << index_bits | index;
  }

  T* find(std::uint32_t id) const {
    const std::uint32_t index = id & index_mask;
    if (index >= slots_.size() || slots_[index].generation != id >> index_bits) return nullptr;
    return slots_[index].object;
  }

  // visit(T&) for each.
  template <class Visit>
  void each(Visit visit) const {
    for (const Slot& slot : slots_)
      if (slot.object) visit(*slot.object);
  }

  void erase(std::uint32_t id) {
    Slot& slot = slots_[id & index_mask];
    slot.object = nullptr;
    slot.generation = (slot.generation + 1) & generation_mask;
    free_.push_back(id & index_mask);
  }

 private:
  struct Slot {
    T* object = nullptr;
    std::uint32_t generation = 0;
  };
  static constexpr int index_bits = 24;
  static constexpr std::uint32_t index_mask = (1u << index_bits) - 1;
  static constexpr std::uint32_t generation_mask = 0xff;

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace cow
