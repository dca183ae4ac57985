// Handles as integers, and back: the index of the object in its table. A null or dead handle becomes the null handle.
#include "api/bodies.hpp"

namespace cow {
namespace {

// The ABI's integers fit an int; so does an index.
template <class Handle>
int index_of(Handle handle) {
  return static_cast<int>(reinterpret_cast<std::uintptr_t>(handle));
}

template <class T, class Handle>
Handle handle_from(int index, Handle null) {
  const std::uintptr_t handle = index < 0 ? 0 : table<T>().from_index(static_cast<std::uint32_t>(index));
  if (handle) return reinterpret_cast<Handle>(handle);
  // Predefined handles keep their numbers even before there are objects behind them.
  if (index > 0 && index < static_cast<int>(HandleTable<T>::first_dynamic))
    return reinterpret_cast<Handle>(static_cast<std::uintptr_t>(index));
  return null;
}

}  // namespace

int body::Comm_toint(MPI_Comm comm) { return index_of(comm); }
int body::Errhandler_toint(MPI_Errhandler errhandler) { return index_of(errhandler); }
int body::File_toint(MPI_File file) { return index_of(file); }
int body::Group_toint(MPI_Group group) { return index_of(group); }
int body::Info_toint(MPI_Info info) { return index_of(info); }
int body::Message_toint(MPI_Message message) { return index_of(message); }
int body::Op_toint(MPI_Op op) { return index_of(op); }
int body::Request_toint(MPI_Request request) { return index_of(request); }
int body::Session_toint(MPI_Session session) { return index_of(session); }
int body::Type_toint(MPI_Datatype datatype) { return index_of(datatype); }
int body::Win_toint(MPI_Win win) { return index_of(win); }

MPI_Comm body::Comm_fromint(int comm) { return handle_from<Comm>(comm, MPI_COMM_NULL); }
MPI_Errhandler body::Errhandler_fromint(int errhandler) {
  return handle_from<Errhandler>(errhandler, MPI_ERRHANDLER_NULL);
}
MPI_File body::File_fromint(int file) { return handle_from<File>(file, MPI_FILE_NULL); }
MPI_Group body::Group_fromint(int group) { return handle_from<Group>(group, MPI_GROUP_NULL); }
MPI_Info body::Info_fromint(int info) { return handle_from<Info>(info, MPI_INFO_NULL); }
MPI_Message body::Message_fromint(int message) { return handle_from<Message>(message, MPI_MESSAGE_NULL); }
MPI_Op body::Op_fromint(int op) { return handle_from<Op>(op, MPI_OP_NULL); }
MPI_Request body::Request_fromint(int request) { return handle_from<Request>(request, MPI_REQUEST_NULL); }
MPI_Session body::Session_fromint(int session) { return handle_from<Session>(session, MPI_SESSION_NULL); }
MPI_Datatype body::Type_fromint(int datatype) { return handle_from<Datatype>(datatype, MPI_DATATYPE_NULL); }
MPI_Win body::Win_fromint(int win) { return handle_from<Win>(win, MPI_WIN_NULL); }

}  // namespace cow
