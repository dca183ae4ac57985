// The tables of all kinds of objects, and the way from an ABI handle to the object and back.
#pragma once

#include <mpi.h>

#include "objects/handle.hpp"

namespace cow {

struct Comm;
struct Datatype;
struct Errhandler;
struct File;
struct Group;
struct Info;
struct Message;
struct Op;
struct Request;
struct Session;
struct Win;

// One table a kind, constant-initialised and never destroyed, so that a look-up
// is a load from a fixed place and programs may call MPI from static constructors and destructors.
template <class T>
union TableStorage {
  HandleTable<T> value;
  constexpr TableStorage() : value() {}
  constexpr ~TableStorage() {}
};
template <class T>
inline constinit TableStorage<T> table_storage;

template <class T>
HandleTable<T>& table() {
  return table_storage<T>.value;
}

#define COW_OBJECT(Type) \
  inline Type* find(MPI_##Type handle) { return table<Type>().find(reinterpret_cast<std::uintptr_t>(handle)); }
COW_OBJECT(Comm)
COW_OBJECT(Datatype)
COW_OBJECT(Errhandler)
COW_OBJECT(File)
COW_OBJECT(Group)
COW_OBJECT(Info)
COW_OBJECT(Message)
COW_OBJECT(Op)
COW_OBJECT(Request)
COW_OBJECT(Session)
COW_OBJECT(Win)
#undef COW_OBJECT

// The ABI handle of an object: `MPI_Comm c = handle_of(comm);`
struct HandleOf {
  std::uintptr_t value;
  template <class Handle>
  operator Handle*() const {
    return reinterpret_cast<Handle*>(value);
  }
};
template <class T>
HandleOf handle_of(const T& object) {
  return {object.handle()};
}

}  // namespace cow
