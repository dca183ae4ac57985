// Making Cartesian communicators: MPI_Cart_create, MPI_Cart_sub, MPI_Cart_map, MPI_Dims_create.
#include "api/bodies.hpp"
#include "coll/comms/new_comm.hpp"
#include "topo/dims.hpp"
#include "topo/make.hpp"
#include "topo/reorder.hpp"

namespace cow {

using namespace topo;

namespace {

struct Grid {
  std::vector<int> dims;
  std::vector<bool> periods;
  int size = 1;
};

// The grid that the arguments ask for, which must have room in `comm`.
Error read_grid(const Comm& comm, int ndims, const int* dims, const int* periods, Grid& out) {
  if (Error error = need_intra(comm)) return error;
  if (ndims < 0) return fail(ErrorClass::dims, "ndims is %d: expected 0 or more", ndims);
  if (Error error = need_array(dims, ndims, "dims")) return error;
  if (Error error = need_array(periods, ndims, "periods")) return error;
  std::int64_t size = 1;
  for (int d = 0; d < ndims; ++d) {
    if (dims[d] <= 0) return fail(ErrorClass::dims, "dims[%d] is %d: expected 1 or more", d, dims[d]);
    size *= dims[d];
    if (size > comm.size())
      return fail(ErrorClass::dims, "a grid of %s%lld places for %d ranks", d + 1 < ndims ? "at least " : "",
                  static_cast<long long>(size), comm.size());
  }
  out.dims.assign(dims, dims + ndims);
  for (int d = 0; d < ndims; ++d) out.periods.push_back(periods[d] != 0);
  out.size = static_cast<int>(size);
  return success;
}

Edges edges_of(const Grid& grid) {
  const CartTopology cart(grid.dims, grid.periods, 0);
  Edges out;
  for (int r = 0; r < grid.size; ++r)
    for (int d = 0; d < cart.dimensions(); ++d)
      if (const int next = cart.moved(r, d, 1); next != MPI_PROC_NULL && next != r) out.push_back({r, next, 1});
  return out;
}

}  // namespace

Error body::Cart_create(Comm& comm_old, int ndims, const int* dims, const int* periods, int reorder,
                        MPI_Comm* comm_cart) {
  Grid grid;
  if (Error error = read_grid(comm_old, ndims, dims, periods, grid)) return error;
  std::vector<int> members = same_members(grid.size);
  if (reorder) {
    const Edges edges = comm_old.rank == 0 ? edges_of(grid) : Edges{};
    if (Error error = choose_members(comm_old, edges, grid.dims, members)) return error;
  }
  Comm* made;
  if (Error error = make_topology_comm(comm_old, members, made)) return error;
  if (made) add_topology<CartTopology>(*made, grid.dims, grid.periods);
  give(made, comm_cart);
  return success;
}

Error body::Cart_map(Comm& comm, int ndims, const int* dims, const int* periods, int* newrank) {
  Grid grid;
  if (Error error = read_grid(comm, ndims, dims, periods, grid)) return error;
  const std::vector<int> members = guess_members(comm, edges_of(grid), grid.dims);
  *newrank = rank_in(members, comm.rank);
  return success;
}

Error body::Cart_sub(Comm& comm, const int* remain_dims, MPI_Comm* newcomm) {
  const CartTopology* const cart = cart_of(comm);
  if (!cart) return fail(ErrorClass::topology, "the communicator has no Cartesian topology");
  if (Error error = need_array(remain_dims, cart->dimensions(), "remain_dims")) return error;
  // Ranks that agree in the dimensions left out stay together, in their order.
  std::vector<int> dims;
  std::vector<bool> periods;
  int color = 0;
  for (std::size_t d = 0; d < cart->dims.size(); ++d) {
    if (remain_dims[d]) {
      dims.push_back(cart->dims[d]);
      periods.push_back(cart->periods[d]);
    } else {
      color = color * cart->dims[d] + cart->coords[d];
    }
  }
  Comm* part;
  if (Error error = coll::split(comm, color, comm.rank, part)) return error;
  add_topology<CartTopology>(*part, dims, periods);
  give(part, newcomm);
  return success;
}

Error body::Dims_create(int nnodes, int ndims, int* dims) {
  if (nnodes <= 0) return fail(ErrorClass::dims, "nnodes is %d: expected 1 or more", nnodes);
  if (ndims < 0) return fail(ErrorClass::dims, "ndims is %d: expected 0 or more", ndims);
  if (Error error = need_array(dims, ndims, "dims")) return error;
  int left = nnodes, open = 0;
  for (int d = 0; d < ndims; ++d) {
    if (dims[d] < 0)
      return fail(ErrorClass::dims, "dims[%d] is %d: expected a size, or 0 for one to be chosen", d, dims[d]);
    if (dims[d] == 0)
      ++open;
    else if (left % dims[d] != 0)
      return fail(ErrorClass::dims, "nnodes, %d, is not a multiple of the dimensions given: dims[%d] is %d", nnodes, d,
                  dims[d]);
    else
      left /= dims[d];
  }
  if (open == 0 && ndims > 0 && left != 1)
    return fail(ErrorClass::dims, "the dimensions given are a grid of %d places, and none is left open for nnodes, %d",
                nnodes / left, nnodes);
  const std::vector<int> factors = balanced_factors(left, open);
  for (int d = 0, next = 0; d < ndims; ++d)
    if (dims[d] == 0) dims[d] = factors[static_cast<std::size_t>(next++)];
  return success;
}

}  // namespace cow
