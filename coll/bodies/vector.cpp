// Collectives that move blocks given one by one: MPI_Gatherv, Scatterv, Allgatherv, Alltoallv, Alltoallw.
#include "api/bodies.hpp"
#include "coll/execute/forms.hpp"

namespace cow {

using namespace coll;

Error body::Gatherv(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf, Counts recvcounts,
                    Counts displs, Datatype* recvtype, int root, Comm& comm) {
  return blocking([&](Operation& o) {
    return prepare_gatherv(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcounts, displs, recvtype}, root);
  });
}

Error body::Igatherv(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf, Counts recvcounts,
                     Counts displs, Datatype* recvtype, int root, Comm& comm, MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_gatherv(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcounts, displs, recvtype}, root);
  });
}

Error body::Gatherv_init(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf, Counts recvcounts,
                         Counts displs, Datatype* recvtype, int root, Comm& comm, Info*, MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_gatherv(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcounts, displs, recvtype}, root);
  });
}

Error body::Scatterv(const void* sendbuf, Counts sendcounts, Counts displs, Datatype* sendtype, void* recvbuf,
                     MPI_Count recvcount, Datatype* recvtype, int root, Comm& comm) {
  return blocking([&](Operation& o) {
    return prepare_scatterv(o, comm, {sendbuf, sendcounts, displs, sendtype}, {recvbuf, recvcount, recvtype}, root);
  });
}

Error body::Iscatterv(const void* sendbuf, Counts sendcounts, Counts displs, Datatype* sendtype, void* recvbuf,
                      MPI_Count recvcount, Datatype* recvtype, int root, Comm& comm, MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_scatterv(o, comm, {sendbuf, sendcounts, displs, sendtype}, {recvbuf, recvcount, recvtype}, root);
  });
}

Error body::Scatterv_init(const void* sendbuf, Counts sendcounts, Counts displs, Datatype* sendtype, void* recvbuf,
                          MPI_Count recvcount, Datatype* recvtype, int root, Comm& comm, Info*, MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_scatterv(o, comm, {sendbuf, sendcounts, displs, sendtype}, {recvbuf, recvcount, recvtype}, root);
  });
}

Error body::Allgatherv(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf, Counts recvcounts,
                       Counts displs, Datatype* recvtype, Comm& comm) {
  return blocking([&](Operation& o) {
    return prepare_allgatherv(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcounts, displs, recvtype});
  });
}

Error body::Iallgatherv(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf, Counts recvcounts,
                        Counts displs, Datatype* recvtype, Comm& comm, MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_allgatherv(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcounts, displs, recvtype});
  });
}

Error body::Allgatherv_init(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf,
                            Counts recvcounts, Counts displs, Datatype* recvtype, Comm& comm, Info*,
                            MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_allgatherv(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcounts, displs, recvtype});
  });
}

Error body::Alltoallv(const void* sendbuf, Counts sendcounts, Counts sdispls, Datatype* sendtype, void* recvbuf,
                      Counts recvcounts, Counts rdispls, Datatype* recvtype, Comm& comm) {
  return blocking([&](Operation& o) {
    return prepare_alltoallv(o, comm, {sendbuf, sendcounts, sdispls, sendtype},
                             {recvbuf, recvcounts, rdispls, recvtype});
  });
}

Error body::Ialltoallv(const void* sendbuf, Counts sendcounts, Counts sdispls, Datatype* sendtype, void* recvbuf,
                       Counts recvcounts, Counts rdispls, Datatype* recvtype, Comm& comm, MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_alltoallv(o, comm, {sendbuf, sendcounts, sdispls, sendtype},
                             {recvbuf, recvcounts, rdispls, recvtype});
  });
}

Error body::Alltoallv_init(const void* sendbuf, Counts sendcounts, Counts sdispls, Datatype* sendtype, void* recvbuf,
                           Counts recvcounts, Counts rdispls, Datatype* recvtype, Comm& comm, Info*,
                           MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_alltoallv(o, comm, {sendbuf, sendcounts, sdispls, sendtype},
                             {recvbuf, recvcounts, rdispls, recvtype});
  });
}

Error body::Alltoallw(const void* sendbuf, Counts sendcounts, Counts sdispls, const MPI_Datatype* sendtypes,
                      void* recvbuf, Counts recvcounts, Counts rdispls, const MPI_Datatype* recvtypes, Comm& comm) {
  return blocking([&](Operation& o) {
    return prepare_alltoallw(o, comm, {sendbuf, sendcounts, sdispls, sendtypes},
                             {recvbuf, recvcounts, rdispls, recvtypes});
  });
}

Error body::Ialltoallw(const void* sendbuf, Counts sendcounts, Counts sdispls, const MPI_Datatype* sendtypes,
                       void* recvbuf, Counts recvcounts, Counts rdispls, const MPI_Datatype* recvtypes, Comm& comm,
                       MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_alltoallw(o, comm, {sendbuf, sendcounts, sdispls, sendtypes},
                             {recvbuf, recvcounts, rdispls, recvtypes});
  });
}

Error body::Alltoallw_init(const void* sendbuf, Counts sendcounts, Counts sdispls, const MPI_Datatype* sendtypes,
                           void* recvbuf, Counts recvcounts, Counts rdispls, const MPI_Datatype* recvtypes, Comm& comm,
                           Info*, MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_alltoallw(o, comm, {sendbuf, sendcounts, sdispls, sendtypes},
                             {recvbuf, recvcounts, rdispls, recvtypes});
  });
}

}  // namespace cow
