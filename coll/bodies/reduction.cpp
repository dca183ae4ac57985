// Collectives that reduce: MPI_Reduce, Allreduce, Scan, Exscan, Reduce_scatter_block, Reduce_scatter.
#include "api/bodies.hpp"
#include "coll/execute/forms.hpp"

namespace cow {

using namespace coll;

Error body::Reduce(const void* sendbuf, void* recvbuf, MPI_Count count, Datatype* datatype, Op* op, int root,
                   Comm& comm) {
  return blocking([&](Operation& o) { return prepare_reduce(o, comm, {sendbuf, count, datatype}, recvbuf, op, root); });
}

Error body::Ireduce(const void* sendbuf, void* recvbuf, MPI_Count count, Datatype* datatype, Op* op, int root,
                    Comm& comm, MPI_Request* request) {
  return nonblocking(
      request, [&](Operation& o) { return prepare_reduce(o, comm, {sendbuf, count, datatype}, recvbuf, op, root); });
}

Error body::Reduce_init(const void* sendbuf, void* recvbuf, MPI_Count count, Datatype* datatype, Op* op, int root,
                        Comm& comm, Info*, MPI_Request* request) {
  return persistent(
      request, [&](Operation& o) { return prepare_reduce(o, comm, {sendbuf, count, datatype}, recvbuf, op, root); });
}

Error body::Allreduce(const void* sendbuf, void* recvbuf, MPI_Count count, Datatype* datatype, Op* op, Comm& comm) {
  return blocking([&](Operation& o) {
    return prepare_sum(o, Collective::allreduce, comm, {sendbuf, count, datatype}, recvbuf, op);
  });
}

Error body::Iallreduce(const void* sendbuf, void* recvbuf, MPI_Count count, Datatype* datatype, Op* op, Comm& comm,
                       MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_sum(o, Collective::allreduce, comm, {sendbuf, count, datatype}, recvbuf, op);
  });
}

Error body::Allreduce_init(const void* sendbuf, void* recvbuf, MPI_Count count, Datatype* datatype, Op* op, Comm& comm,
                           Info*, MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_sum(o, Collective::allreduce, comm, {sendbuf, count, datatype}, recvbuf, op);
  });
}

Error body::Scan(const void* sendbuf, void* recvbuf, MPI_Count count, Datatype* datatype, Op* op, Comm& comm) {
  return blocking(
      [&](Operation& o) { return prepare_sum(o, Collective::scan, comm, {sendbuf, count, datatype}, recvbuf, op); });
}

Error body::Iscan(const void* sendbuf, void* recvbuf, MPI_Count count, Datatype* datatype, Op* op, Comm& comm,
                  MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_sum(o, Collective::scan, comm, {sendbuf, count, datatype}, recvbuf, op);
  });
}

Error body::Scan_init(const void* sendbuf, void* recvbuf, MPI_Count count, Datatype* datatype, Op* op, Comm& comm,
                      Info*, MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_sum(o, Collective::scan, comm, {sendbuf, count, datatype}, recvbuf, op);
  });
}

Error body::Exscan(const void* sendbuf, void* recvbuf, MPI_Count count, Datatype* datatype, Op* op, Comm& comm) {
  return blocking(
      [&](Operation& o) { return prepare_sum(o, Collective::exscan, comm, {sendbuf, count, datatype}, recvbuf, op); });
}

Error body::Iexscan(const void* sendbuf, void* recvbuf, MPI_Count count, Datatype* datatype, Op* op, Comm& comm,
                    MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_sum(o, Collective::exscan, comm, {sendbuf, count, datatype}, recvbuf, op);
  });
}

Error body::Exscan_init(const void* sendbuf, void* recvbuf, MPI_Count count, Datatype* datatype, Op* op, Comm& comm,
                        Info*, MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_sum(o, Collective::exscan, comm, {sendbuf, count, datatype}, recvbuf, op);
  });
}

Error body::Reduce_scatter_block(const void* sendbuf, void* recvbuf, MPI_Count recvcount, Datatype* datatype, Op* op,
                                 Comm& comm) {
  return blocking(
      [&](Operation& o) { return prepare_reduce_scatter_block(o, comm, {sendbuf, recvcount, datatype}, recvbuf, op); });
}

Error body::Ireduce_scatter_block(const void* sendbuf, void* recvbuf, MPI_Count recvcount, Datatype* datatype, Op* op,
                                  Comm& comm, MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_reduce_scatter_block(o, comm, {sendbuf, recvcount, datatype}, recvbuf, op);
  });
}

Error body::Reduce_scatter_block_init(const void* sendbuf, void* recvbuf, MPI_Count recvcount, Datatype* datatype,
                                      Op* op, Comm& comm, Info*, MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_reduce_scatter_block(o, comm, {sendbuf, recvcount, datatype}, recvbuf, op);
  });
}

Error body::Reduce_scatter(const void* sendbuf, void* recvbuf, Counts recvcounts, Datatype* datatype, Op* op,
                           Comm& comm) {
  return blocking(
      [&](Operation& o) { return prepare_reduce_scatter(o, comm, sendbuf, recvcounts, datatype, recvbuf, op); });
}

Error body::Ireduce_scatter(const void* sendbuf, void* recvbuf, Counts recvcounts, Datatype* datatype, Op* op,
                            Comm& comm, MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_reduce_scatter(o, comm, sendbuf, recvcounts, datatype, recvbuf, op);
  });
}

Error body::Reduce_scatter_init(const void* sendbuf, void* recvbuf, Counts recvcounts, Datatype* datatype, Op* op,
                                Comm& comm, Info*, MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_reduce_scatter(o, comm, sendbuf, recvcounts, datatype, recvbuf, op);
  });
}

}  // namespace cow
