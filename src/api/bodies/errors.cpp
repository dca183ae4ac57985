// Error classes, codes and their texts.
#include <cstdio>
#include <cstring>

#include "api/bodies.hpp"
#include "api/report.hpp"
#include "api/user_errors.hpp"

namespace cow {

Error body::Add_error_class(int* errorclass) { return api::add_class(*errorclass); }
Error body::Add_error_code(int errorclass, int* errorcode) { return api::add_code(errorclass, *errorcode); }
Error body::Remove_error_class(int errorclass) { return api::remove_class(errorclass); }
Error body::Remove_error_code(int errorcode) { return api::remove_code(errorcode); }
Error body::Remove_error_string(int errorcode) { return api::remove_string(errorcode); }

Error body::Add_error_string(int errorcode, const char* string) {
  if (strlen(string) >= MPI_MAX_ERROR_STRING)
    return fail(ErrorClass::arg, "the string is longer than MPI_MAX_ERROR_STRING allows (%d)",
                MPI_MAX_ERROR_STRING - 1);
  return api::set_string(errorcode, string);
}

Error body::Error_class(int errorcode, int* errorclass) { return api::class_of(errorcode, *errorclass); }

// The standard's text, and of the error that this thread met last also the line that says what happened.
Error body::Error_string(int errorcode, char* string, int* resultlen) {
  if (const std::string* text = api::own_text(errorcode)) {
    memcpy(string, text->c_str(), text->size() + 1);
    *resultlen = static_cast<int>(text->size());
    return success;
  }
  const char* text = api::class_text(errorcode);
  if (!text) return fail(ErrorClass::arg, "%d is not an error code", errorcode);
  const char* line = api::last_report(errorcode);
  const int wanted = snprintf(string, MPI_MAX_ERROR_STRING, "%s%s%s", text, line ? ": " : "", line ? line : "");
  *resultlen = wanted < MPI_MAX_ERROR_STRING ? wanted : MPI_MAX_ERROR_STRING - 1;
  return success;
}

}  // namespace cow
