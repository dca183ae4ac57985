// The way of an error from a body to the program: the message is composed, the error handler called. All of it cold.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <type_traits>

#include "base/error.hpp"

namespace cow::api {

// How an argument is written in a message.
enum class Kind : char {
  integer = 'i',
  pointer = 'p',
  buffer = 'b',
  rank = 'r',
  tag = 't',
  string = 's',
  status = 'u',
  statuses = 'v',
  comm = 'c',
  datatype = 'd',
  op = 'o',
  group = 'g',
  info = 'n',
  errhandler = 'e',
  win = 'w',
  file = 'f',
  session = 'S',
  request = 'q',
  message = 'm',
};

// A function, for messages: its name and for each argument the letter of its kind and its name,
// "MPI_Send b:buf i:count d:datatype r:dest t:tag c:comm". One text, so that nothing is relocated at start.
using Signature = const char*;

// An argument as it was passed, whatever its type.
using Word = std::uint64_t;
template <class T>
Word word(T value) {
  if constexpr (std::is_pointer_v<T>) {
    return static_cast<Word>(reinterpret_cast<std::uintptr_t>(value));
  } else {
    return static_cast<Word>(static_cast<std::int64_t>(value));
  }
}

// Whose error handler hears of an error: the object that stands in the arguments, or none. Calls that name an error
// handler for the communicator or session that they make: this handler, with the null handle of what was not made.
struct Target {
  enum class What : std::uint8_t { nothing, comm, win, file, session, new_comm, new_session } what = What::nothing;
  std::uintptr_t handle = 0;  // new_…: the error handler's
};
inline Target target() { return {}; }
inline Target target(MPI_Comm comm) { return {Target::What::comm, reinterpret_cast<std::uintptr_t>(comm)}; }
inline Target target(MPI_Win win) { return {Target::What::win, reinterpret_cast<std::uintptr_t>(win)}; }
inline Target target(MPI_File file) { return {Target::What::file, reinterpret_cast<std::uintptr_t>(file)}; }
inline Target target(MPI_Session session) { return {Target::What::session, reinterpret_cast<std::uintptr_t>(session)}; }
inline Target target_of_new(MPI_Errhandler handler, const MPI_Comm*) {
  return {Target::What::new_comm, reinterpret_cast<std::uintptr_t>(handler)};
}
inline Target target_of_new(MPI_Errhandler handler, const MPI_Session*) {
  return {Target::What::new_session, reinterpret_cast<std::uintptr_t>(handler)};
}
template <class Handle>
Target target(const Handle* handle) {  // of an inout handle
  return handle ? target(*handle) : Target{};
}

// Hands an error to the error handler; returns what the MPI function returns. The text is that of the last fail().
[[gnu::cold, gnu::noinline]] int report(Signature signature, Error error, Target target, const Word* words);

// What a function without a body answers.
[[gnu::cold, gnu::noinline]] int unsupported(Signature signature, Target target, const Word* words);

// The line of the calling thread's last error, if it was of this code; else null.
const char* last_report(int code);

// The MPI name of a predefined handle ("MPI_INT"), or null. Generated.
const char* predefined_name(std::uintptr_t handle);

// The standard's text for a predefined error class ("MPI_ERR_RANK: invalid rank"), or null. Generated.
const char* class_text(int error_class);

}  // namespace cow::api
