// Collectives that move blocks of one size: MPI_Barrier, Bcast, Gather, Scatter, Allgather, Alltoall.
#include "api/bodies.hpp"
#include "coll/execute/forms.hpp"

namespace cow {

using namespace coll;

Error body::Barrier(Comm& comm) {
  return blocking([&](Operation& o) { return prepare_barrier(o, comm); });
}

Error body::Ibarrier(Comm& comm, MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) { return prepare_barrier(o, comm); });
}

Error body::Barrier_init(Comm& comm, Info*, MPI_Request* request) {
  return persistent(request, [&](Operation& o) { return prepare_barrier(o, comm); });
}

Error body::Bcast(void* buffer, MPI_Count count, Datatype* datatype, int root, Comm& comm) {
  return blocking([&](Operation& o) { return prepare_bcast(o, comm, {buffer, count, datatype}, root); });
}

Error body::Ibcast(void* buffer, MPI_Count count, Datatype* datatype, int root, Comm& comm, MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) { return prepare_bcast(o, comm, {buffer, count, datatype}, root); });
}

Error body::Bcast_init(void* buffer, MPI_Count count, Datatype* datatype, int root, Comm& comm, Info*,
                       MPI_Request* request) {
  return persistent(request, [&](Operation& o) { return prepare_bcast(o, comm, {buffer, count, datatype}, root); });
}

Error body::Gather(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf, MPI_Count recvcount,
                   Datatype* recvtype, int root, Comm& comm) {
  return blocking([&](Operation& o) {
    return prepare_gather(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype}, root);
  });
}

Error body::Igather(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf, MPI_Count recvcount,
                    Datatype* recvtype, int root, Comm& comm, MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_gather(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype}, root);
  });
}

Error body::Gather_init(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf,
                        MPI_Count recvcount, Datatype* recvtype, int root, Comm& comm, Info*, MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_gather(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype}, root);
  });
}

Error body::Scatter(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf, MPI_Count recvcount,
                    Datatype* recvtype, int root, Comm& comm) {
  return blocking([&](Operation& o) {
    return prepare_scatter(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype}, root);
  });
}

Error body::Iscatter(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf, MPI_Count recvcount,
                     Datatype* recvtype, int root, Comm& comm, MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_scatter(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype}, root);
  });
}

Error body::Scatter_init(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf,
                         MPI_Count recvcount, Datatype* recvtype, int root, Comm& comm, Info*, MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_scatter(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype}, root);
  });
}

Error body::Allgather(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf, MPI_Count recvcount,
                      Datatype* recvtype, Comm& comm) {
  return blocking([&](Operation& o) {
    return prepare_allgather(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype});
  });
}

Error body::Iallgather(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf, MPI_Count recvcount,
                       Datatype* recvtype, Comm& comm, MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_allgather(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype});
  });
}

Error body::Allgather_init(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf,
                           MPI_Count recvcount, Datatype* recvtype, Comm& comm, Info*, MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_allgather(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype});
  });
}

Error body::Alltoall(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf, MPI_Count recvcount,
                     Datatype* recvtype, Comm& comm) {
  return blocking([&](Operation& o) {
    return prepare_alltoall(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype});
  });
}

Error body::Ialltoall(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf, MPI_Count recvcount,
                      Datatype* recvtype, Comm& comm, MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_alltoall(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype});
  });
}

Error body::Alltoall_init(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf,
                          MPI_Count recvcount, Datatype* recvtype, Comm& comm, Info*, MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_alltoall(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype});
  });
}

}  // namespace cow
