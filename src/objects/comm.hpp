// Communicators.
#pragma once

#include <cstdint>
#include <string>

#include "objects/attribute.hpp"
#include "objects/group.hpp"
#include "objects/objects.hpp"

namespace cow {

// What coll/ and topology code hang on a communicator; they derive from it.
struct CommExtension {
  virtual ~CommExtension() = default;
};

// How the buffer of a standard send is given back to the program (Tanenbaum's choices, but for blocking, which is what
// MPI_Send does with `notify`).
enum class BufferRelease : std::uint8_t {
  notify,     // when the library needs it no longer: the request completes then
  copy,       // at once: the message is copied
  cow,        // at once: the pages are kept by copy-on-write
  automatic,  // whichever is predicted to be cheapest
};
const char* name_of(BufferRelease mode);  // as settings and info keys have it
bool parse(const std::string& name, BufferRelease& out);
extern BufferRelease default_buffer_release;  // the setting's; decided at start

// What all ranks must have said alike of a collective: for reports of ranks that wait in it.
struct CollectiveTerms {
  int root = -1;            // -1: it has none
  std::int64_t bytes = -1;  // of a block or of the vector; -1: they may differ
};

struct Comm : Object {
  // Messages of a communicator travel in its context; those of its collectives in context | 1. Contexts are even,
  // unique over connected jobs, and never used again.
  std::uint64_t context = 0;

  int rank = 0;                      // of this process in the local group
  Group* group = nullptr;            // local group; referenced
  Group* remote_group = nullptr;     // intercommunicators only; referenced
  Comm* local_comm = nullptr;        // intercommunicators: an intracommunicator of the local group, for collectives
  Errhandler* errhandler = nullptr;  // referenced
  Info* info = nullptr;              // hints; owned, may be null
  Attributes attributes;
  std::string name;
  CommExtension* buffer = nullptr;    // owned: pt2pt's, for buffered sends
  CommExtension* topology = nullptr;  // owned
  CommExtension* coll = nullptr;      // owned: what collectives decided at set-up
  CommExtension* active = nullptr;    // owned: handlers of active messages
  int completion_fd = -1;             // owned; see completion_fd.hpp
  BufferRelease buffer_release = default_buffer_release;
  std::uint32_t collectives_begun = 0;       // numbers the collectives of this communicator, for their tags
  const CollectiveTerms* running = nullptr;  // of the blocking collective that this rank is in, on an intracommunicator

  bool inter() const { return remote_group != nullptr; }
  int size() const { return group->size(); }
  const Group& peers() const { return remote_group ? *remote_group : *group; }  // what destination ranks mean
};

inline void retain(Comm& comm) { ++comm.references; }
void end_life(Comm& comm);  // for release()
inline void release(Comm& comm) {
  if (--comm.references == 0) [[unlikely]]
    end_life(comm);
}

// MPI_Comm_free: deletes the attributes, ends the handle and drops its reference. Pending operations keep the rest.
Error free_handle(Comm& comm);

// Keeps those of `hints` that the library knows.
void set_hints(Comm& comm, const Info& hints);

}  // namespace cow
