// A pool of objects of one type: memory is taken in slabs and kept, so that the short path of a message allocates
// nothing. Not thread-safe: pools of the library are used under the progress lock.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace cow {

template <class T>
class Pool {
 public:
  template <class... Arguments>
  T* make(Arguments&&... arguments) {
    if (!free_) grow();
    Cell* cell = free_;
    free_ = cell->next;
    return new (cell->bytes) T(std::forward<Arguments>(arguments)...);
  }

  void destroy(T* object) {
    object->~T();
    Cell* cell = reinterpret_cast<Cell*>(object);
    cell->next = free_;
    free_ = cell;
  }

 private:
  union Cell {
    Cell* next;
    alignas(T) std::byte bytes[sizeof(T)];
  };
  static constexpr std::size_t slab_size = 32;

  void grow() {
    slabs_.push_back(std::unique_ptr<Cell[]>(new Cell[slab_size]));
    for (std::size_t i = slab_size; i-- > 0;) {
      slabs_.back()[i].next = free_;
      free_ = &slabs_.back()[i];
    }
  }

  Cell* free_ = nullptr;
  std::vector<std::unique_ptr<Cell[]>> slabs_;
};

}  // namespace cow
