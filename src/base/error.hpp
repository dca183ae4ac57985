// What went wrong, inside the library.
//
// An Error is an MPI error class and nothing else, so that it travels in a register; success is zero. The message is
// composed once, by whoever detects the error first (fail()), and waits in a buffer of the thread until the binding
// hands both to the error handler. Callers above pass an Error on unchanged.
#pragma once

#include <cstddef>

namespace cow {

// The values are those of the MPI 5.0 ABI; src/api asserts that they agree with mpi.h.
enum class ErrorClass : int {
  success = 0,
  buffer = 1,
  count = 2,
  type = 3,
  tag = 4,
  comm = 5,
  rank = 6,
  request = 7,
  root = 8,
  group = 9,
  op = 10,
  topology = 11,
  dims = 12,
  arg = 13,
  unknown = 14,
  truncate = 15,
  other = 16,
  intern = 17,
  pending = 18,
  in_status = 19,
  info_key = 31,
  info_nokey = 32,
  info_value = 33,
  info = 34,
  keyval = 36,
  name = 38,
  no_mem = 39,
  spawn = 53,
  unsupported_operation = 55,
  proc_aborted = 58,
  value_too_large = 59,
  session = 60,
  errhandler = 61,
};

class [[nodiscard]] Error {
 public:
  constexpr Error() = default;  // success
  constexpr explicit Error(int error_class) : class_(error_class) {}
  constexpr Error(ErrorClass error_class) : class_(static_cast<int>(error_class)) {}

  constexpr explicit operator bool() const { return class_ != 0; }  // true: something went wrong
  constexpr int code() const { return class_; }
  constexpr void ignore() const {}  // says in the source that a failure here changes nothing

 private:
  int class_ = 0;
};

inline constexpr Error success{};

// Composes the message of an error in this thread's buffer and returns the error. The text says what was found and
// what was expected, in the user's terms, without the name of the call (the binding adds it).
Error fail(ErrorClass error_class, const char* format, ...) __attribute__((format(printf, 2, 3)));
Error fail(int error_class, const char* format, ...) __attribute__((format(printf, 2, 3)));

// The message of this thread's last fail(); empty when there was none. Valid until the next fail() of the thread.
const char* last_failure();
void forget_failure();

// Ends the process: an invariant of the library itself is broken. Never for bad data from a user or a peer.
[[noreturn]] void broken(const char* file, int line, const char* what);

}  // namespace cow

#define COW_INVARIANT(condition) \
  (__builtin_expect(!!(condition), 1) ? (void)0 : ::cow::broken(__FILE__, __LINE__, #condition))
