// How the ranks of a communicator are wired, as far as anybody has said.
#pragma once

#include <optional>

#include "base/layout.hpp"
#include "objects/topology.hpp"

namespace cow::coll {

// The first of these that says something:
// - the communicator's info key "cow_layout": a layout, which must fit, or "cart": its Cartesian topology;
// - the setting COW_LAYOUT (mpirun --layout), which must fit the job, for communicators of the world's ranks in their
//   order that are as large as the layout;
// - the Cartesian topology: who makes a grid of ranks will have placed it on one. Not where all ranks share a node and
//   no COW_LAYOUT is given, nor where COW_LAYOUT says that the machine is a switch.
Error find_layout(const Comm& comm, std::optional<Layout>& out);

// A torus where every dimension is periodic, a mesh where one is not (its links are there in any case), a ring of one
// periodic dimension, a hypercube of dimensions of two. Dimensions of one are left out; nothing for less than two ranks.
std::optional<Layout> layout_of(const CartTopology& cart);

}  // namespace cow::coll
