// Datatypes.
//
// A datatype has a type map (typemap.hpp): a tree, shared and immutable, that says which basic elements lie where, in
// order. Committing compiles the map into a copy plan (plan.hpp) which knows only bytes. pack() and unpack() run it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/address.hpp"
#include "objects/attribute.hpp"
#include "objects/objects.hpp"
#include "objects/predefined.hpp"

namespace cow {

struct Plan;
struct TypeContents;
struct TypeMap;

struct Datatype : Object {
  // Hot: what a send or a receive asks.
  MPI_Count size = 0;   // bytes of data in one element
  MPI_Aint extent = 0;  // from one element to the next
  MPI_Aint lb = 0;
  MPI_Aint true_lb = 0;  // of the data alone
  MPI_Aint true_extent = 0;
  bool contiguous = false;  // `count` elements at `buffer` are one run of count * size bytes at buffer + true_lb
  bool dense = false;       // one element is one run of size bytes at buffer + true_lb
  bool committed = false;
  Basic basic = Basic::none;           // predefined types: what the element is …
  Category category = Category::none;  // … and what operations it allows
  Basic pair_value = Basic::none;      // pairs: what they consist of
  Basic pair_index = Basic::none;
  std::shared_ptr<const Plan> plan;  // of one element; set by commit()

  // Cold.
  bool marked = false;     // bounds were set by MPI_Type_create_resized, here or in a part; else they are the data's
  int alignment = 1;       // of the strictest basic element
  bool permanent = false;  // predefined, named or not: never freed
  int handles = 0;         // how often the program holds the handle (MPI_Type_get_contents gives it out again)
  std::shared_ptr<const TypeMap> map;
  std::shared_ptr<const TypeContents> contents;  // how it was made; null: a named type
  Attributes attributes;
  std::string name;

  Datatype();
  ~Datatype();
  Datatype(const Datatype&) = delete;
  Datatype& operator=(const Datatype&) = delete;
  MPI_Aint ub() const { return lb + extent; }
};

inline void retain(Datatype& type) { ++type.references; }
void end_life(Datatype& type);         // for release()
inline void release(Datatype& type) {  // predefined types live for ever
  if (--type.references == 0) [[unlikely]]
    end_life(type);
}

// Handles: give_handle() hands one out (and a reference with it), free_handle() is MPI_Type_free: the attributes go
// with the last handle, the type with its last reference.
Error give_handle(Datatype& type, MPI_Datatype* out);
Error free_handle(Datatype& type);

// Makes the type ready for communication.
void commit(Datatype& type);

// Where a buffer's first byte of data lies, for a contiguous type (or a dense one and count 1).
inline const void* data_of(const void* buffer, const Datatype& type) {
  return reinterpret_cast<const void*>(moved(reinterpret_cast<std::uintptr_t>(buffer), type.true_lb));
}
inline void* data_of(void* buffer, const Datatype& type) {
  return reinterpret_cast<void*>(moved(reinterpret_cast<std::uintptr_t>(buffer), type.true_lb));
}

// The packed stream of `count` elements has count * type.size bytes. pack() copies bytes [offset, offset + bytes) of it
// to `out`; unpack() takes them from `in`. Starting anywhere costs at most the logarithm of the number of blocks.
// Both return how many bytes they copied: fewer than asked only at the end of the stream. The type is committed.
MPI_Count pack(const Datatype& type, const void* buffer, MPI_Count count, MPI_Count offset, void* out, MPI_Count bytes);
MPI_Count unpack(const Datatype& type, void* buffer, MPI_Count count, MPI_Count offset, const void* in,
                 MPI_Count bytes);

// The same stream as pieces of memory, for transports that gather: fills at most `max_runs` of `runs` with the memory of
// bytes [offset, …) and returns how many it filled; `covered` is how many bytes they are.
struct MemoryRun {
  std::uintptr_t address;
  std::size_t bytes;
};
int memory_runs(const Datatype& type, const void* buffer, MPI_Count count, MPI_Count offset, MPI_Count bytes,
                MemoryRun* runs, int max_runs, MPI_Count* covered);

// The same in the "external32" representation: big-endian, sizes of the standard. Whole elements only.
MPI_Count external_size(const Datatype& type, MPI_Count count);
Error pack_external(const Datatype& type, const void* buffer, MPI_Count count, void* out);
Error unpack_external(const Datatype& type, void* buffer, MPI_Count count, const void* in);

// How many basic elements the first `bytes` bytes of the packed stream make up (MPI_Get_elements); MPI_UNDEFINED when
// they end within one.
MPI_Count elements_in(const Datatype& type, MPI_Count bytes);
// The bytes of data of the first `elements` basic elements (MPI_Status_set_elements).
Error bytes_of_elements(const Datatype& type, MPI_Count elements, MPI_Count& bytes);
// How many elements of the type `bytes` bytes are (MPI_Get_count); MPI_UNDEFINED when not a whole number.
inline MPI_Count count_in(const Datatype& type, MPI_Count bytes) {
  if (type.size == 0) return bytes == 0 ? 0 : MPI_UNDEFINED;
  return bytes % type.size == 0 ? bytes / type.size : MPI_Count{MPI_UNDEFINED};
}

// The name for messages: "MPI_INT", the name given by MPI_Type_set_name, or "a derived datatype".
const char* describe(const Datatype& type);

}  // namespace cow
