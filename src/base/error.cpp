#include "base/error.hpp"

#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace cow {
namespace {

// initial-exec would be faster, but a library that may be opened with dlopen cannot rely on static TLS room.
thread_local char message[1024];

}  // namespace

Error fail(ErrorClass error_class, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return error_class;
}

Error fail(int error_class, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return Error(error_class);
}

const char* last_failure() { return message; }

void forget_failure() { message[0] = '\0'; }

void broken(const char* file, int line, const char* what) {
  char text[512];
  const int size = snprintf(text, sizeof text, "cow: broken invariant at %s:%d: %s\n", file, line, what);
  if (size > 0) (void)!write(STDERR_FILENO, text, static_cast<size_t>(size));
  abort();
}

}  // namespace cow
