// Neighbourhood collectives: MPI_Neighbor_allgather, allgatherv, alltoall, alltoallv, alltoallw.
#include "coll/prepare/neighborhood.hpp"

#include "api/bodies.hpp"
#include "coll/execute/forms.hpp"

namespace cow {

using namespace coll;

Error body::Neighbor_allgather(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf,
                               MPI_Count recvcount, Datatype* recvtype, Comm& comm) {
  return blocking([&](Operation& o) {
    return prepare_neighbor_allgather(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype});
  });
}

Error body::Ineighbor_allgather(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf,
                                MPI_Count recvcount, Datatype* recvtype, Comm& comm, MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_neighbor_allgather(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype});
  });
}

Error body::Neighbor_allgather_init(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf,
                                    MPI_Count recvcount, Datatype* recvtype, Comm& comm, Info*, MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_neighbor_allgather(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype});
  });
}

Error body::Neighbor_allgatherv(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf,
                                Counts recvcounts, Counts displs, Datatype* recvtype, Comm& comm) {
  return blocking([&](Operation& o) {
    return prepare_neighbor_allgatherv(o, comm, {sendbuf, sendcount, sendtype},
                                       {recvbuf, recvcounts, displs, recvtype});
  });
}

Error body::Ineighbor_allgatherv(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf,
                                 Counts recvcounts, Counts displs, Datatype* recvtype, Comm& comm,
                                 MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_neighbor_allgatherv(o, comm, {sendbuf, sendcount, sendtype},
                                       {recvbuf, recvcounts, displs, recvtype});
  });
}

Error body::Neighbor_allgatherv_init(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf,
                                     Counts recvcounts, Counts displs, Datatype* recvtype, Comm& comm, Info*,
                                     MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_neighbor_allgatherv(o, comm, {sendbuf, sendcount, sendtype},
                                       {recvbuf, recvcounts, displs, recvtype});
  });
}

Error body::Neighbor_alltoall(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf,
                              MPI_Count recvcount, Datatype* recvtype, Comm& comm) {
  return blocking([&](Operation& o) {
    return prepare_neighbor_alltoall(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype});
  });
}

Error body::Ineighbor_alltoall(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf,
                               MPI_Count recvcount, Datatype* recvtype, Comm& comm, MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_neighbor_alltoall(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype});
  });
}

Error body::Neighbor_alltoall_init(const void* sendbuf, MPI_Count sendcount, Datatype* sendtype, void* recvbuf,
                                   MPI_Count recvcount, Datatype* recvtype, Comm& comm, Info*, MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_neighbor_alltoall(o, comm, {sendbuf, sendcount, sendtype}, {recvbuf, recvcount, recvtype});
  });
}

Error body::Neighbor_alltoallv(const void* sendbuf, Counts sendcounts, Counts sdispls, Datatype* sendtype,
                               void* recvbuf, Counts recvcounts, Counts rdispls, Datatype* recvtype, Comm& comm) {
  return blocking([&](Operation& o) {
    return prepare_neighbor_alltoallv(o, comm, {sendbuf, sendcounts, sdispls, sendtype},
                                      {recvbuf, recvcounts, rdispls, recvtype});
  });
}

Error body::Ineighbor_alltoallv(const void* sendbuf, Counts sendcounts, Counts sdispls, Datatype* sendtype,
                                void* recvbuf, Counts recvcounts, Counts rdispls, Datatype* recvtype, Comm& comm,
                                MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_neighbor_alltoallv(o, comm, {sendbuf, sendcounts, sdispls, sendtype},
                                      {recvbuf, recvcounts, rdispls, recvtype});
  });
}

Error body::Neighbor_alltoallv_init(const void* sendbuf, Counts sendcounts, Counts sdispls, Datatype* sendtype,
                                    void* recvbuf, Counts recvcounts, Counts rdispls, Datatype* recvtype, Comm& comm,
                                    Info*, MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_neighbor_alltoallv(o, comm, {sendbuf, sendcounts, sdispls, sendtype},
                                      {recvbuf, recvcounts, rdispls, recvtype});
  });
}

Error body::Neighbor_alltoallw(const void* sendbuf, Counts sendcounts, const MPI_Aint* sdispls,
                               const MPI_Datatype* sendtypes, void* recvbuf, Counts recvcounts, const MPI_Aint* rdispls,
                               const MPI_Datatype* recvtypes, Comm& comm) {
  return blocking([&](Operation& o) {
    return prepare_neighbor_alltoallw(o, comm, {sendbuf, sendcounts, sdispls, sendtypes},
                                      {recvbuf, recvcounts, rdispls, recvtypes});
  });
}

Error body::Ineighbor_alltoallw(const void* sendbuf, Counts sendcounts, const MPI_Aint* sdispls,
                                const MPI_Datatype* sendtypes, void* recvbuf, Counts recvcounts,
                                const MPI_Aint* rdispls, const MPI_Datatype* recvtypes, Comm& comm,
                                MPI_Request* request) {
  return nonblocking(request, [&](Operation& o) {
    return prepare_neighbor_alltoallw(o, comm, {sendbuf, sendcounts, sdispls, sendtypes},
                                      {recvbuf, recvcounts, rdispls, recvtypes});
  });
}

Error body::Neighbor_alltoallw_init(const void* sendbuf, Counts sendcounts, const MPI_Aint* sdispls,
                                    const MPI_Datatype* sendtypes, void* recvbuf, Counts recvcounts,
                                    const MPI_Aint* rdispls, const MPI_Datatype* recvtypes, Comm& comm, Info*,
                                    MPI_Request* request) {
  return persistent(request, [&](Operation& o) {
    return prepare_neighbor_alltoallw(o, comm, {sendbuf, sendcounts, sdispls, sendtypes},
                                      {recvbuf, recvcounts, rdispls, recvtypes});
  });
}

}  // namespace cow
