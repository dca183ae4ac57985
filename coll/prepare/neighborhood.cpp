#include "coll/prepare/neighborhood.hpp"

#include "coll/prepare/common.hpp"
#include "objects/topology.hpp"

namespace cow::coll {
namespace {

Error begin_neighbours(Operation& o, Collective which, Comm& comm, const void* send, const void* recv) {
  const Topology* const topology = topology_of(comm);
  if (!topology) return fail(ErrorClass::topology, "the communicator has no topology, so that nobody has neighbours");
  if (const GraphTopology* const graph = graph_of(comm); graph && graph->one_way_from >= 0)
    return fail(ErrorClass::topology,
                "the graph has more edges from rank %d to rank %d than back: expected a symmetric one, since each "
                "neighbour is sent to and received from",
                graph->one_way_from, graph->one_way_to);
  if (in_place(send) || in_place(recv)) return fail(ErrorClass::buffer, "MPI_IN_PLACE has no meaning among neighbours");
  o.args.neighbours = &topology->neighbours;
  return begin_moving(o, which, comm);
}

Error need_buffer(const void* buffer, MPI_Count count, const Datatype& type, const char* name) {
  if (buffer || count == 0 || !type.predefined()) return success;
  return fail(ErrorClass::buffer, "%s is a null pointer: expected %lld elements of %s", name,
              static_cast<long long>(count), describe(type));
}

struct Names {
  const char* buffer;
  const char* counts;
  const char* displs;
  const char* type;
  const char* types = "";
};
constexpr Names sending{"sendbuf", "sendcounts", "sdispls", "sendtype", "sendtypes"};
constexpr Names receiving{"recvbuf", "recvcounts", "rdispls", "recvtype", "recvtypes"};

// One block after the other, all of one length. An element without data is as good as none.
Error read_blocks(const Data& data, int degree, const Names& names, std::vector<Count>& counts,
                  std::vector<Count>& displs) {
  if (degree == 0) return success;
  if (Error error = need(data.type, names.type)) return error;
  if (Error error = need_buffer(data.buffer, data.count, *data.type, names.buffer)) return error;
  for (int i = 0; i < degree; ++i) {
    counts.push_back(data.type->size == 0 ? 0 : data.count);
    displs.push_back(i * data.count * data.type->extent);
  }
  return success;
}

Error need_arrays(Counts counts, Counts displs, int degree, const Names& names) {
  for (const auto& [array, name] : {std::pair{counts, names.counts}, {displs, names.displs}})
    if (!array)
      return fail(ErrorClass::arg, "%s is a null pointer: expected one for each of %d neighbours", name, degree);
  for (int i = 0; i < degree; ++i)
    if (counts[i] < 0)
      return fail(ErrorClass::count, "%s[%d] is %lld: expected 0 or more", names.counts, i,
                  static_cast<long long>(counts[i]));
  return success;
}

Error read_blocks(const GivenData& data, int degree, const Names& names, std::vector<Count>& counts,
                  std::vector<Count>& displs) {
  if (degree == 0) return success;
  if (Error error = need_arrays(data.counts, data.displs, degree, names)) return error;
  if (Error error = need(data.type, names.type)) return error;
  for (int i = 0; i < degree; ++i) {
    if (Error error = need_buffer(data.buffer, data.counts[i], *data.type, names.buffer)) return error;
    counts.push_back(data.type->size == 0 ? 0 : data.counts[i]);
    displs.push_back(data.displs[i] * data.type->extent);
  }
  return success;
}

Error read_blocks(const MixedData& data, int degree, const Names& names, std::vector<Count>& counts,
                  std::vector<Count>& displs, std::vector<Datatype*>& types) {
  if (degree == 0) return success;
  if (Error error = need_arrays(data.counts, data.displs, degree, names)) return error;
  if (!data.types)
    return fail(ErrorClass::arg, "%s is a null pointer: expected one for each of %d neighbours", names.types, degree);
  for (int i = 0; i < degree; ++i) {
    Datatype* const type = find(data.types[i]);
    if (data.counts[i] != 0) {
      if (Error error = need(type, names.types)) return error;
      // Displacements may be addresses, and the buffer MPI_BOTTOM.
    }
    counts.push_back(type && type->size == 0 ? 0 : data.counts[i]);
    displs.push_back(data.displs[i]);
    types.push_back(type);
  }
  return success;
}

// Every neighbour gets the same: packed once, if at all.
Error read_one_block(Operation& o, const Data& send) {
  if (o.args.neighbours->outdegree() == 0) return success;
  if (Error error = need(send.type, sending.type)) return error;
  if (Error error = need_buffer(send.buffer, send.count, *send.type, sending.buffer)) return error;
  o.args.count = send.count * send.type->size;
  send_from(o, send.buffer, send.count, *send.type);
  return success;
}

void point_to_blocks(Operation& o, const void* send, const void* recv) {
  Lists& lists = o.lists();
  o.args.counts = lists.counts.data();
  o.args.displs = lists.displs.data();
  o.args.recv = address_of(recv);
  if (o.collective == Collective::neighbor_allgather) return;
  o.args.send_counts = lists.send_counts.data();
  o.args.send_displs = lists.send_displs.data();
  o.args.send = address_of(send);
}

// `Given`: blocks of one length, or with their own.
template <class Given>
Error prepare_one_for_all(Operation& o, Comm& comm, const Data& send, const Given& recv, const Names& names) {
  Lists& lists = o.lists();
  if (Error error = begin_neighbours(o, Collective::neighbor_allgather, comm, send.buffer, recv.buffer)) return error;
  if (Error error = read_one_block(o, send)) return error;
  const int degree = o.args.neighbours->indegree();
  if (Error error = read_blocks(recv, degree, names, lists.counts, lists.displs)) return error;
  o.args.type = degree > 0 ? recv.type : nullptr;
  point_to_blocks(o, send.buffer, recv.buffer);
  return success;
}

template <class Given>
Error prepare_one_for_each(Operation& o, Comm& comm, const Given& send, const Given& recv) {
  Lists& lists = o.lists();
  if (Error error = begin_neighbours(o, Collective::neighbor_alltoall, comm, send.buffer, recv.buffer)) return error;
  const int in = o.args.neighbours->indegree(), out = o.args.neighbours->outdegree();
  if (Error error = read_blocks(send, out, sending, lists.send_counts, lists.send_displs)) return error;
  if (Error error = read_blocks(recv, in, receiving, lists.counts, lists.displs)) return error;
  o.args.type = in > 0 ? recv.type : nullptr;
  o.args.send_type = out > 0 ? send.type : nullptr;
  point_to_blocks(o, send.buffer, recv.buffer);
  return success;
}

}  // namespace

Error prepare_neighbor_allgather(Operation& o, Comm& comm, const Data& send, const Data& recv) {
  return prepare_one_for_all(o, comm, send, recv, receiving);
}

Error prepare_neighbor_allgatherv(Operation& o, Comm& comm, const Data& send, const GivenData& recv) {
  constexpr Names names{"recvbuf", "recvcounts", "displs", "recvtype"};
  return prepare_one_for_all(o, comm, send, recv, names);
}

Error prepare_neighbor_alltoall(Operation& o, Comm& comm, const Data& send, const Data& recv) {
  return prepare_one_for_each(o, comm, send, recv);
}

Error prepare_neighbor_alltoallv(Operation& o, Comm& comm, const GivenData& send, const GivenData& recv) {
  return prepare_one_for_each(o, comm, send, recv);
}

Error prepare_neighbor_alltoallw(Operation& o, Comm& comm, const MixedData& send, const MixedData& recv) {
  Lists& lists = o.lists();
  if (Error error = begin_neighbours(o, Collective::neighbor_alltoall, comm, send.buffer, recv.buffer)) return error;
  const int in = o.args.neighbours->indegree(), out = o.args.neighbours->outdegree();
  if (Error error = read_blocks(send, out, sending, lists.send_counts, lists.send_displs, lists.send_types))
    return error;
  if (Error error = read_blocks(recv, in, receiving, lists.counts, lists.displs, lists.types)) return error;
  o.args.types = lists.types.data();
  o.args.send_types = lists.send_types.data();
  point_to_blocks(o, send.buffer, recv.buffer);
  return success;
}

}  // namespace cow::coll
