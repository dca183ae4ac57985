// What the functions of mpix.h share: they are few, so that their bindings are written by hand.
#pragma once

#include <initializer_list>

#include "api/checks.hpp"
#include "api/memory.hpp"
#include "api/report.hpp"
#include "runtime/lock.hpp"

namespace cow::api {

// Runs a body as the generated bindings run theirs: under the lock, with errors to the handler of `whose`. The words are
// the arguments that the signature names.
template <class Lock = runtime::Guard, class Body>
int extension(Signature signature, Target whose, std::initializer_list<Word> words, Body body) {
  const Lock lock;
  Error error;
  try {
    error = mode == Mode::not_running ? refuse_call() : body();
  } catch (const NoMemory&) {
    error = no_memory();
  }
  return error ? report(signature, error, whose, words.begin()) : MPI_SUCCESS;
}

}  // namespace cow::api
