// Handles and the tables behind them.
//
// A handle that a program holds is a number, generation << 32 | index, cast to the pointer type that the ABI asks for.
// It is looked up in the table of its kind and never read through, so that a freed or made-up handle is an error and
// not a crash. Predefined handles are the ABI's small integers: index below first_dynamic, generation zero.
//
// Who may call: insert and erase need the progress lock; find may be called by any thread for a handle that the
// program may use (MPI forbids freeing a handle in one thread while another uses it).
#pragma once

#include <atomic>
#include <cstdint>
#include <new>

#include "base/error.hpp"

namespace cow {

// What every object behind a handle begins with. Reference counted: the handle holds one reference, and so does
// whatever uses the object inside (a pending request its datatype and communicator, for example).
struct Object {
  std::uint32_t index = 0;  // 0: not in the table
  std::uint32_t generation = 0;
  std::uint32_t references = 1;  // changed under the progress lock only

  std::uintptr_t handle() const { return std::uintptr_t{generation} << 32 | index; }
  bool predefined() const { return index != 0 && index < 1024; }
};

// Called for each object that has been given a handle, with its table; null unless somebody keeps account.
extern void (*handle_made)(const Object& object, const void* table);

template <class T>
class HandleTable {
 public:
  static constexpr std::uint32_t first_dynamic = 1024;

  T* find(std::uintptr_t handle) const noexcept {
    if (handle < first_dynamic) return predefined_[handle];
    const auto index = static_cast<std::uint32_t>(handle);
    if (index / chunk_slots >= max_chunks) return nullptr;
    const Slot* chunk = chunks_[index / chunk_slots].load(std::memory_order_acquire);
    if (!chunk) return nullptr;
    const Slot& slot = chunk[index % chunk_slots];
    return slot.generation == static_cast<std::uint32_t>(handle >> 32) ? slot.object : nullptr;
  }

  // The handle that an index stands for now (MPI_X_fromint); 0 when there is none.
  std::uintptr_t from_index(std::uint32_t index) const noexcept {
    if (index < first_dynamic) return predefined_[index] ? index : 0;
    const Slot* chunk = index / chunk_slots < max_chunks ? chunks_[index / chunk_slots].load() : nullptr;
    const Slot* slot = chunk ? &chunk[index % chunk_slots] : nullptr;
    return slot && slot->object ? std::uintptr_t{slot->generation} << 32 | index : 0;
  }

  // Gives the object a handle. The table does not own it.
  Error insert(T& object) {
    if (__builtin_expect(free_ == 0, 0))
      if (Error error = grow()) return error;
    const std::uint32_t index = free_;
    Slot& slot = place(index);
    free_ = slot.next_free;
    slot.object = &object;
    object.index = index;
    object.generation = slot.generation;
    if (__builtin_expect(handle_made != nullptr, 0)) handle_made(object, this);
    return success;
  }

  // Gives a predefined object the ABI's number.
  void insert_predefined(T& object, std::uint32_t index) {
    COW_INVARIANT(index < first_dynamic);
    predefined_[index] = &object;
    object.index = index;
    object.generation = 0;
  }

  // Ends the handle; a later find of it fails.
  void erase(T& object) {
    if (object.index < first_dynamic) {
      COW_INVARIANT(predefined_[object.index] == &object);
      predefined_[object.index] = nullptr;
      object.index = 0;
      return;
    }
    Slot& slot = place(object.index);
    COW_INVARIANT(slot.object == &object);
    end(slot, object);
  }

  // Ends the handle and returns its object, if accept(T&) says so; null: nothing was done. Not for predefined ones.
  template <class Accept>
  [[gnu::always_inline]] T* erase_if(std::uintptr_t handle, Accept accept) {
    const auto index = static_cast<std::uint32_t>(handle);
    if (__builtin_expect(index < first_dynamic || index / chunk_slots >= max_chunks, 0)) return nullptr;
    Slot* chunk = chunks_[index / chunk_slots].load(std::memory_order_relaxed);
    if (__builtin_expect(!chunk, 0)) return nullptr;
    Slot& slot = chunk[index % chunk_slots];
    T* object = slot.object;
    if (__builtin_expect(slot.generation != static_cast<std::uint32_t>(handle >> 32) || !object, 0)) return nullptr;
    if (!accept(*object)) return nullptr;
    end(slot, *object);
    return object;
  }

  // Calls visit(T&) for each object that has a handle.
  template <class Visit>
  void each(Visit visit) const {
    for (T* object : predefined_)
      if (object) visit(*object);
    for (const auto& chunk : chunks_) {
      Slot* slots = chunk.load();
      for (std::uint32_t i = 0; slots && i < chunk_slots; ++i)
        if (slots[i].object) visit(*slots[i].object);
    }
  }

 private:
  struct Slot {
    T* object = nullptr;
    std::uint32_t generation = 0;
    std::uint32_t next_free = 0;  // index; 0: the last
  };
  static constexpr std::uint32_t chunk_slots = 1024;
  static constexpr std::uint32_t max_chunks = 1 << 14;

  void end(Slot& slot, T& object) {
    slot.object = nullptr;
    ++slot.generation;
    slot.next_free = free_;
    free_ = object.index;
    object.index = 0;
  }

  Slot& place(std::uint32_t index) {
    return chunks_[index / chunk_slots].load(std::memory_order_relaxed)[index % chunk_slots];
  }

  // Makes one slot more.
  [[gnu::noinline]] Error grow() {
    const std::uint32_t index = first_dynamic + made_;
    if (index / chunk_slots >= max_chunks) return fail(ErrorClass::no_mem, "more than %u handles of one kind", made_);
    auto& chunk = chunks_[index / chunk_slots];
    if (!chunk.load(std::memory_order_relaxed)) {
      auto* slots = new (std::nothrow) Slot[chunk_slots];  // lives as long as the process
      if (!slots) return fail(ErrorClass::no_mem, "no memory for a handle");
      for (std::uint32_t i = 0; i < chunk_slots; ++i) slots[i].generation = 1;
      chunk.store(slots, std::memory_order_release);
    }
    ++made_;
    free_ = index;
    return success;
  }

  T* predefined_[first_dynamic] = {};  // by their number; set when the library starts
  std::atomic<Slot*> chunks_[max_chunks] = {};
  std::uint32_t made_ = 0;  // indices given out so far, from first_dynamic on; all is zero at first, so that the
                            // tables are not part of the library's file
  std::uint32_t free_ = 0;  // the first that is free; 0: none
};

}  // namespace cow
