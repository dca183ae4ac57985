// Attributes of communicators and datatypes, and keyvals of all kinds.
#include "objects/attribute.hpp"

#include "api/bodies.hpp"
#include "api/user_errors.hpp"
#include "objects/comm.hpp"
#include "objects/datatype.hpp"

namespace cow {
namespace {

// The C callbacks of communicators, datatypes and windows differ in the type of the handle only.
template <class Handle>
struct InC {
  using Copy = int(Handle, int, void*, void*, void*, int*);
  using Delete = int(Handle, int, void*, void*);

  static int copy(void* function, std::uintptr_t object, int keyval, void* extra, void* value, void** copied,
                  bool* copy_it) {
    int flag = 0;
    const int code = reinterpret_cast<Copy*>(function)(reinterpret_cast<Handle>(object), keyval, extra, value,
                                                       static_cast<void*>(copied), &flag);
    *copy_it = flag != 0;
    return code;
  }
  // MPI_X_DUP_FN
  static int dup(void*, std::uintptr_t, int, void*, void* value, void** copied, bool* copy_it) {
    *copied = value;
    *copy_it = true;
    return MPI_SUCCESS;
  }
  static int remove(void* function, std::uintptr_t object, int keyval, void* value, void* extra) {
    return reinterpret_cast<Delete*>(function)(reinterpret_cast<Handle>(object), keyval, value, extra);
  }

  // The ABI's MPI_X_NULL_COPY_FN and MPI_X_NULL_DELETE_FN are 0, MPI_X_DUP_FN is 1.
  static int create(KeyvalKind kind, Copy* copy_function, Delete* delete_function, void* extra) {
    AttributeCallbacks callbacks;
    callbacks.copy_function = reinterpret_cast<void*>(copy_function);
    callbacks.delete_function = reinterpret_cast<void*>(delete_function);
    callbacks.extra = extra;
    if (callbacks.copy_function)
      callbacks.copy = callbacks.copy_function == reinterpret_cast<void*>(MPI_COMM_DUP_FN) ? dup : copy;
    if (callbacks.delete_function) callbacks.remove = remove;
    return create_keyval(kind, callbacks);
  }
};

Error end_keyval(KeyvalKind kind, int* keyval) {
  if (const Error error = free_keyval(kind, *keyval)) return error;
  *keyval = MPI_KEYVAL_INVALID;
  return success;
}

Error get(const Attributes& attributes, KeyvalKind kind, int keyval, void* out, int* flag) {
  void* value;
  if (attributes.get(keyval, &value)) {
    *static_cast<void**>(out) = value;
    *flag = 1;
    return success;
  }
  if (const Error error = check_keyval(kind, keyval)) return error;
  *flag = 0;
  return success;
}

// In C the value of a predefined attribute is the address of an int.
const int* predefined_value(int keyval) {
  static int last_used_code;
  if (keyval != MPI_LASTUSEDCODE) return find_predefined_attribute(keyval);
  last_used_code = api::last_used_code();
  return &last_used_code;
}

}  // namespace

Error body::Comm_create_keyval(MPI_Comm_copy_attr_function* comm_copy_attr_fn,
                               MPI_Comm_delete_attr_function* comm_delete_attr_fn, int* comm_keyval,
                               void* extra_state) {
  *comm_keyval = InC<MPI_Comm>::create(KeyvalKind::comm, comm_copy_attr_fn, comm_delete_attr_fn, extra_state);
  return success;
}

Error body::Type_create_keyval(MPI_Type_copy_attr_function* type_copy_attr_fn,
                               MPI_Type_delete_attr_function* type_delete_attr_fn, int* type_keyval,
                               void* extra_state) {
  *type_keyval = InC<MPI_Datatype>::create(KeyvalKind::type, type_copy_attr_fn, type_delete_attr_fn, extra_state);
  return success;
}

Error body::Win_create_keyval(MPI_Win_copy_attr_function* win_copy_attr_fn,
                              MPI_Win_delete_attr_function* win_delete_attr_fn, int* win_keyval, void* extra_state) {
  *win_keyval = InC<MPI_Win>::create(KeyvalKind::win, win_copy_attr_fn, win_delete_attr_fn, extra_state);
  return success;
}

Error body::Comm_free_keyval(int* comm_keyval) { return end_keyval(KeyvalKind::comm, comm_keyval); }
Error body::Type_free_keyval(int* type_keyval) { return end_keyval(KeyvalKind::type, type_keyval); }
Error body::Win_free_keyval(int* win_keyval) { return end_keyval(KeyvalKind::win, win_keyval); }

Error body::Comm_get_attr(Comm& comm, int comm_keyval, void* attribute_val, int* flag) {
  if (!is_predefined_attribute(comm_keyval))
    return get(comm.attributes, KeyvalKind::comm, comm_keyval, attribute_val, flag);
  const int* value = predefined_value(comm_keyval);
  if (value) *static_cast<const int**>(attribute_val) = value;
  *flag = value != nullptr;
  return success;
}

Error body::Comm_set_attr(Comm& comm, int comm_keyval, void* attribute_val) {
  if (const Error error = check_keyval(KeyvalKind::comm, comm_keyval)) return error;
  return comm.attributes.set(comm.handle(), comm_keyval, attribute_val);
}

Error body::Comm_delete_attr(Comm& comm, int comm_keyval) {
  if (const Error error = check_keyval(KeyvalKind::comm, comm_keyval)) return error;
  return comm.attributes.remove(comm.handle(), comm_keyval);
}

Error body::Type_get_attr(Datatype& datatype, int type_keyval, void* attribute_val, int* flag) {
  return get(datatype.attributes, KeyvalKind::type, type_keyval, attribute_val, flag);
}

Error body::Type_set_attr(Datatype& datatype, int type_keyval, void* attribute_val) {
  if (const Error error = check_keyval(KeyvalKind::type, type_keyval)) return error;
  return datatype.attributes.set(datatype.handle(), type_keyval, attribute_val);
}

Error body::Type_delete_attr(Datatype& datatype, int type_keyval) {
  if (const Error error = check_keyval(KeyvalKind::type, type_keyval)) return error;
  return datatype.attributes.remove(datatype.handle(), type_keyval);
}

}  // namespace cow
