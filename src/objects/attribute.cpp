#include "objects/attribute.hpp"

#include <unordered_map>

#include "base/at_end.hpp"
#include "runtime/progress.hpp"

namespace cow {

PredefinedAttributes predefined_attributes;

namespace {

struct Keyval {
  KeyvalKind kind;
  bool freed = false;
  std::uint32_t uses = 0;  // attributes under it
  AttributeCallbacks callbacks;
};

// Numbers of the program's keyvals; the standard's own are below. None is given out twice before 2^31 have been.
constexpr int first_keyval = 1024;
int next_keyval = first_keyval;

std::unordered_map<int, Keyval>& keyvals() {
  static auto* all = new std::unordered_map<int, Keyval>;  // used to the very end of the process
  return *all;
}

Keyval* find_keyval(int keyval) {
  const auto found = keyvals().find(keyval);
  return found == keyvals().end() ? nullptr : &found->second;
}

void drop_use(int keyval) {
  const auto found = keyvals().find(keyval);
  if (--found->second.uses == 0 && found->second.freed) keyvals().erase(found);
}

// Keeps a keyval alive while a callback runs, which may delete the attribute and free the keyval.
class KeyvalUse {
 public:
  explicit KeyvalUse(int keyval) : keyval_(keyval), found_(*find_keyval(keyval)) { ++found_.uses; }
  ~KeyvalUse() { drop_use(keyval_); }
  KeyvalUse(const KeyvalUse&) = delete;
  KeyvalUse& operator=(const KeyvalUse&) = delete;
  const AttributeCallbacks& callbacks() const { return found_.callbacks; }

 private:
  int keyval_;
  Keyval& found_;  // a map's elements stay in place
};

Error callback_failed(int code, const char* which) {
  return fail(code, "the attribute's %s function returned error code %d", which, code);
}

Error call_delete(std::uintptr_t object, int keyval, void* value) {
  const KeyvalUse use(keyval);
  const AttributeCallbacks& callbacks = use.callbacks();
  if (!callbacks.remove) return success;
  const int code = callbacks.remove(callbacks.delete_function, object, keyval, value, callbacks.extra);
  return code == MPI_SUCCESS ? success : callback_failed(code, "delete");
}

const char* name_of(KeyvalKind kind) {
  switch (kind) {
    case KeyvalKind::comm: return "communicators";
    case KeyvalKind::type: return "datatypes";
    case KeyvalKind::win: return "windows";
  }
  return "";
}

}  // namespace

int create_keyval(KeyvalKind kind, const AttributeCallbacks& callbacks) {
  while (find_keyval(next_keyval)) next_keyval = next_keyval == INT32_MAX ? first_keyval : next_keyval + 1;
  Keyval keyval{};
  keyval.kind = kind;
  keyval.callbacks = callbacks;
  keyvals().emplace(next_keyval, keyval);
  const int number = next_keyval;
  next_keyval = next_keyval == INT32_MAX ? first_keyval : next_keyval + 1;
  return number;
}

int keyvals_in_use() {
  int count = 0;
  for (const auto& entry : keyvals()) count += !entry.second.freed;
  return count;
}

Error check_keyval(KeyvalKind kind, int keyval) {
  const Keyval* found = find_keyval(keyval);
  if (!found) {
    if (keyval == MPI_KEYVAL_INVALID) return fail(ErrorClass::keyval, "the keyval is MPI_KEYVAL_INVALID");
    if (keyval > 0 && keyval < first_keyval)
      return fail(ErrorClass::keyval, "keyval %d is predefined, or none of %s: it cannot be changed", keyval,
                  name_of(kind));
    return fail(ErrorClass::keyval, "there is no keyval %d: it was freed or never created", keyval);
  }
  if (found->kind != kind)
    return fail(ErrorClass::keyval, "keyval %d was created for %s, not for %s", keyval, name_of(found->kind),
                name_of(kind));
  return success;
}

Error free_keyval(KeyvalKind kind, int keyval) {
  if (const Error error = check_keyval(kind, keyval)) return error;
  Keyval* found = find_keyval(keyval);
  if (found->freed)
    return fail(ErrorClass::keyval, "keyval %d was freed before: attributes under it keep it alive", keyval);
  found->freed = true;
  if (found->uses == 0) keyvals().erase(keyval);
  return success;
}

Error Attributes::set(std::uintptr_t object, int keyval, void* value) {
  const KeyvalUse use(keyval);
  void* old;
  if (get(keyval, &old)) {
    if (const Error error = call_delete(object, keyval, old)) return error;
    for (Entry& entry : entries_)
      if (entry.keyval == keyval) {
        entry.value = value;
        return success;
      }
    // The delete function removed the attribute itself: set it anew.
  }
  entries_.push_back({keyval, value});
  ++find_keyval(keyval)->uses;
  return success;
}

Error Attributes::remove(std::uintptr_t object, int keyval) {
  void* value;
  if (!get(keyval, &value)) return fail(ErrorClass::keyval, "no attribute is set under keyval %d", keyval);
  if (const Error error = call_delete(object, keyval, value)) return error;
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry)
    if (entry->keyval == keyval) {
      entries_.erase(entry);
      drop_use(keyval);
      break;
    }
  return success;
}

Error Attributes::clear(std::uintptr_t object) {
  while (!entries_.empty())
    if (const Error error = remove(object, entries_.back().keyval)) return error;
  return success;
}

Error Attributes::copy_to(std::uintptr_t object, Attributes& other, std::uintptr_t other_object) const {
  // The copies made so far go if a callback fails, or throws: then it is the first exception that passes.
  AtEnd undoing([&] { progress::call_program([&] { other.clear(other_object).ignore(); }); });
  // By index, and each entry copied: a callback may set attributes on this object.
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry entry = entries_[i];
    const KeyvalUse use(entry.keyval);
    const AttributeCallbacks& callbacks = use.callbacks();
    if (!callbacks.copy) continue;
    bool copy_it = false;
    void* copied = nullptr;
    const int code =
        callbacks.copy(callbacks.copy_function, object, entry.keyval, callbacks.extra, entry.value, &copied, &copy_it);
    if (code != MPI_SUCCESS) {
      undoing.now();  // the copy's own failure is what is told
      return callback_failed(code, "copy");
    }
    if (!copy_it) continue;
    other.entries_.push_back({entry.keyval, copied});
    ++find_keyval(entry.keyval)->uses;
  }
  undoing.forget();
  return success;
}

bool is_predefined_attribute(int keyval) { return keyval >= MPI_TAG_UB && keyval <= MPI_UNIVERSE_SIZE; }

const int* find_predefined_attribute(int keyval) {
  const auto value_of = [](const PredefinedAttribute& attribute) {
    return attribute.known ? &attribute.value : nullptr;
  };
  switch (keyval) {
    case MPI_TAG_UB: return value_of(predefined_attributes.tag_ub);
    case MPI_IO: return value_of(predefined_attributes.io);
    case MPI_HOST: return value_of(predefined_attributes.host);
    case MPI_WTIME_IS_GLOBAL: return value_of(predefined_attributes.wtime_is_global);
    case MPI_APPNUM: return value_of(predefined_attributes.appnum);
    case MPI_UNIVERSE_SIZE: return value_of(predefined_attributes.universe_size);
    default: return nullptr;
  }
}

}  // namespace cow
