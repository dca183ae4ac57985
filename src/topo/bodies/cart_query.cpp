// What is asked of Cartesian communicators, and MPI_Topo_test.
#include <algorithm>

#include "api/bodies.hpp"
#include "topo/make.hpp"

namespace cow {

using namespace topo;

namespace {

Error need_cart(const Comm& comm, const CartTopology*& out) {
  out = cart_of(comm);
  return out ? success : fail(ErrorClass::topology, "the communicator has no Cartesian topology");
}

Error need_room(const CartTopology& cart, int maxdims) {
  if (maxdims >= cart.dimensions()) return success;
  return fail(ErrorClass::arg, "maxdims is %d: the grid has %d dimensions", maxdims, cart.dimensions());
}

}  // namespace

Error body::Topo_test(Comm& comm, int* status) {
  const Topology* const topology = topology_of(comm);
  *status = MPI_UNDEFINED;
  if (!topology) return success;
  switch (topology->kind) {
    case Topology::Kind::cart: *status = MPI_CART; break;
    case Topology::Kind::graph: *status = MPI_GRAPH; break;
    case Topology::Kind::dist_graph: *status = MPI_DIST_GRAPH;
  }
  return success;
}

Error body::Cartdim_get(Comm& comm, int* ndims) {
  const CartTopology* cart;
  if (Error error = need_cart(comm, cart)) return error;
  *ndims = cart->dimensions();
  return success;
}

Error body::Cart_get(Comm& comm, int maxdims, int* dims, int* periods, int* coords) {
  const CartTopology* cart;
  if (Error error = need_cart(comm, cart)) return error;
  if (Error error = need_room(*cart, maxdims)) return error;
  const int n = cart->dimensions();
  if (Error error = need_array(dims, n, "dims")) return error;
  if (Error error = need_array(periods, n, "periods")) return error;
  if (Error error = need_array(coords, n, "coords")) return error;
  for (int d = 0; d < n; ++d) {
    const auto at = static_cast<std::size_t>(d);
    dims[d] = cart->dims[at];
    periods[d] = cart->periods[at];
    coords[d] = cart->coords[at];
  }
  return success;
}

Error body::Cart_rank(Comm& comm, const int* coords, int* rank) {
  const CartTopology* cart;
  if (Error error = need_cart(comm, cart)) return error;
  if (Error error = need_array(coords, cart->dimensions(), "coords")) return error;
  std::vector<int> place;
  for (std::size_t d = 0; d < cart->dims.size(); ++d) {
    const int extent = cart->dims[d];
    const bool inside = coords[d] >= 0 && coords[d] < extent;
    if (!inside && !cart->periods[d])
      return fail(ErrorClass::arg, "coords[%zu] is %d: dimension %zu has 0 to %d and is not periodic", d, coords[d], d,
                  extent - 1);
    place.push_back((coords[d] % extent + extent) % extent);
  }
  *rank = cart->rank_at(place);
  return success;
}

Error body::Cart_coords(Comm& comm, int rank, int maxdims, int* coords) {
  const CartTopology* cart;
  if (Error error = need_cart(comm, cart)) return error;
  if (rank < 0 || rank >= comm.size())
    return fail(ErrorClass::rank, "rank %d does not exist: the grid has %d ranks", rank, comm.size());
  if (Error error = need_room(*cart, maxdims)) return error;
  if (Error error = need_array(coords, cart->dimensions(), "coords")) return error;
  const std::vector<int> place = cart->place_of(rank);
  std::copy(place.begin(), place.end(), coords);
  return success;
}

Error body::Cart_shift(Comm& comm, int direction, int disp, int* rank_source, int* rank_dest) {
  const CartTopology* cart;
  if (Error error = need_cart(comm, cart)) return error;
  if (direction < 0 || direction >= cart->dimensions())
    return fail(ErrorClass::dims, "direction is %d: the grid has %d dimensions, from 0", direction, cart->dimensions());
  *rank_source = cart->moved(comm.rank, direction, -std::int64_t{disp});
  *rank_dest = cart->moved(comm.rank, direction, disp);
  return success;
}

}  // namespace cow
