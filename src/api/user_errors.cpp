#include "api/user_errors.hpp"

#include <mpi.h>

#include <map>

#include "api/report.hpp"

namespace cow::api {
namespace {

struct Entry {
  int error_class;  // its own code, of a class
  std::string text;
};

// Never destroyed: programs may call MPI from static destructors.
std::map<int, Entry>& entries() {
  static auto* map = new std::map<int, Entry>;
  return *map;
}

int next_code = MPI_ERR_LASTCODE + 1;

Error find_own(int code, std::map<int, Entry>::iterator& out) {
  out = entries().find(code);
  if (out != entries().end()) return success;
  if (class_text(code)) return fail(ErrorClass::arg, "%d is a predefined error code, which cannot be changed", code);
  return fail(ErrorClass::arg, "%d is not an error code", code);
}

Error remove(int code, bool is_class) {
  std::map<int, Entry>::iterator entry;
  if (Error error = find_own(code, entry)) return error;
  if ((entry->second.error_class == code) != is_class)
    return fail(ErrorClass::arg, is_class ? "%d is not an error class" : "%d is an error class, not a code", code);
  if (is_class) {
    for (const auto& [other, value] : entries())
      if (other != code && value.error_class == code)
        return fail(ErrorClass::other, "error class %d still has the code %d", code, other);
  }
  if (!entry->second.text.empty())
    return fail(ErrorClass::other, "%d still has a string: remove it with MPI_Remove_error_string first", code);
  entries().erase(entry);
  return success;
}

}  // namespace

Error add_class(int& error_class) {
  error_class = next_code++;
  entries()[error_class] = {error_class, {}};
  return success;
}

Error add_code(int error_class, int& code) {
  int known = 0;
  if (Error error = class_of(error_class, known)) return error;
  if (known != error_class) return fail(ErrorClass::arg, "%d is an error code, not a class", error_class);
  code = next_code++;
  entries()[code] = {error_class, {}};
  return success;
}

Error set_string(int code, std::string text) {
  std::map<int, Entry>::iterator entry;
  if (Error error = find_own(code, entry)) return error;
  entry->second.text = std::move(text);
  return success;
}

Error remove_class(int error_class) { return remove(error_class, true); }
Error remove_code(int code) { return remove(code, false); }

Error remove_string(int code) {
  std::map<int, Entry>::iterator entry;
  if (Error error = find_own(code, entry)) return error;
  if (entry->second.text.empty()) return fail(ErrorClass::arg, "error code %d has no string", code);
  entry->second.text.clear();
  return success;
}

Error class_of(int code, int& error_class) {
  if (class_text(code)) return error_class = code, success;
  const auto entry = entries().find(code);
  if (entry == entries().end()) return fail(ErrorClass::arg, "%d is not an error code", code);
  error_class = entry->second.error_class;
  return success;
}

const std::string* own_text(int code) {
  const auto entry = entries().find(code);
  return entry == entries().end() ? nullptr : &entry->second.text;
}

int last_used_code() { return next_code - 1; }

}  // namespace cow::api
