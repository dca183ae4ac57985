// Attributes: values that a program hangs on communicators, datatypes and windows under keys (keyvals) of its own.
//
// All of it runs under the progress lock. Callbacks of the program may call MPI again, on the same object too.
#pragma once

#include <cstdint>
#include <vector>

#include "objects/objects.hpp"

namespace cow {

enum class KeyvalKind : std::uint8_t { comm, type, win };

// How a keyval's callbacks are called. A language or a foreign ABI gives functions of its own; `copy_function` and
// `delete_function` are what its program passed. Null trampolines: never copied, nothing to do on deletion.
// `object` is the handle. What the callbacks return is MPI_SUCCESS or the program's error code.
struct AttributeCallbacks {
  using Copy = int (*)(void* function, std::uintptr_t object, int keyval, void* extra, void* value, void** copied,
                       bool* copy_it);
  using Delete = int (*)(void* function, std::uintptr_t object, int keyval, void* value, void* extra);
  Copy copy = nullptr;
  Delete remove = nullptr;
  void* copy_function = nullptr;
  void* delete_function = nullptr;
  void* extra = nullptr;
};

// Makes a keyval; the number is never that of another keyval that is alive.
int create_keyval(KeyvalKind kind, const AttributeCallbacks& callbacks);
// Ends the program's use of it. Attributes under it keep it alive until the last one is deleted, and until then a copy of
// the number works as before in all but this call: the standard's way to be rid of them is MPI_X_delete_attr.
Error free_keyval(KeyvalKind kind, int keyval);
// Keyvals that the program has not freed.
int keyvals_in_use();
// An error unless `keyval` is alive and of this kind.
Error check_keyval(KeyvalKind kind, int keyval);

class Attributes {
 public:
  Attributes() = default;
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  Attributes(Attributes&& other) noexcept : entries_(static_cast<std::vector<Entry>&&>(other.entries_)) {}

  // The value under the keyval; false when there is none.
  bool get(int keyval, void** value) const {
    for (const Entry& entry : entries_)
      if (entry.keyval == keyval) {
        *value = entry.value;
        return true;
      }
    return false;
  }

  // Sets a value; an old one is deleted first by its callback. `object` is the handle of whose attributes these are.
  Error set(std::uintptr_t object, int keyval, void* value);
  // Deletes one, by its callback; no attribute under the keyval: an error.
  Error remove(std::uintptr_t object, int keyval);
  // Deletes all, the last set first. At the first callback that fails the rest stays.
  Error clear(std::uintptr_t object);
  // Copies to a new object, which has no attributes yet, what the copy callbacks let pass, in the order they were set.
  // On a failure the copies made so far are deleted again.
  Error copy_to(std::uintptr_t object, Attributes& other, std::uintptr_t other_object) const;

  bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    int keyval;
    void* value;
  };
  std::vector<Entry> entries_;  // in the order they were set
};

// Attributes that the library defines on MPI_COMM_WORLD and every other communicator. The runtime fills it in before
// the program can ask; a value with `known` false is not set.
struct PredefinedAttribute {
  int value = 0;
  bool known = false;
};
struct PredefinedAttributes {
  PredefinedAttribute tag_ub{INT32_MAX, true};
  PredefinedAttribute io{MPI_ANY_SOURCE, true};
  PredefinedAttribute host{MPI_PROC_NULL, true};
  PredefinedAttribute wtime_is_global{0, true};
  PredefinedAttribute appnum;
  PredefinedAttribute universe_size;
};
extern PredefinedAttributes predefined_attributes;

// The address of the value of MPI_TAG_UB and its like, but for MPI_LASTUSEDCODE, which src/api keeps; null when the
// keyval is none of them or has no value.
const int* find_predefined_attribute(int keyval);
bool is_predefined_attribute(int keyval);

}  // namespace cow
