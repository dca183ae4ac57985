// Windows as objects: names, attributes, error handlers.
#include <cstring>

#include "api/bodies.hpp"
#include "api/object_name.hpp"
#include "objects/win.hpp"

namespace cow {

Error body::Win_get_name(Win* win, char* win_name, int* resultlen) {
  return api::give_name(win ? win->name.c_str() : "MPI_WIN_NULL", win_name, resultlen);
}

Error body::Win_set_name(Win& win, const char* win_name) {
  win.name.assign(win_name, strnlen(win_name, MPI_MAX_OBJECT_NAME - 1));
  return success;
}

namespace {

bool is_predefined(int keyval) {
  return keyval == MPI_WIN_BASE || keyval == MPI_WIN_SIZE || keyval == MPI_WIN_DISP_UNIT ||
         keyval == MPI_WIN_CREATE_FLAVOR || keyval == MPI_WIN_MODEL;
}

// In C: the base itself, and addresses of the other values.
void* predefined_value(Win& win, int keyval) {
  if (keyval == MPI_WIN_BASE) return win.base;
  if (keyval == MPI_WIN_SIZE) return &win.size;
  if (keyval == MPI_WIN_DISP_UNIT) return &win.disp_unit;
  return keyval == MPI_WIN_MODEL ? &win.model : &win.flavor;
}

}  // namespace

Error body::Win_get_attr(Win& win, int win_keyval, void* attribute_val, int* flag) {
  void* value = nullptr;
  *flag = 1;
  if (is_predefined(win_keyval)) {
    value = predefined_value(win, win_keyval);
  } else if (!win.attributes.get(win_keyval, &value)) {
    *flag = 0;
    return check_keyval(KeyvalKind::win, win_keyval);
  }
  *static_cast<void**>(attribute_val) = value;
  return success;
}

Error body::Win_set_attr(Win& win, int win_keyval, void* attribute_val) {
  if (const Error error = check_keyval(KeyvalKind::win, win_keyval)) return error;
  return win.attributes.set(win.handle(), win_keyval, attribute_val);
}

Error body::Win_delete_attr(Win& win, int win_keyval) {
  if (const Error error = check_keyval(KeyvalKind::win, win_keyval)) return error;
  return win.attributes.remove(win.handle(), win_keyval);
}

}  // namespace cow
