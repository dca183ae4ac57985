#include "coll/select/find_layout.hpp"

#include <algorithm>
#include <string>

#include "base/settings.hpp"
#include "objects/info.hpp"
#include "runtime/job.hpp"

namespace cow::coll {
namespace {

Error refuse(const char* whose, const std::string& complaint) {
  return fail(ErrorClass::other, "%s: %s", whose, complaint.c_str());
}

// The ranks of the world 0, 1, …, as many as there are.
bool is_world_in_order(const Comm& comm) {
  for (int r = 0; r < comm.size(); ++r)
    if (comm.group->process(r) != static_cast<Process>(r)) return false;
  return true;
}

bool on_one_node(const Comm& comm) {
  const runtime::Job& job = runtime::job();
  if (job.local_size == job.size) return true;
  for (int r = 0; r < comm.size(); ++r) {
    const Process process = comm.group->process(r);
    if (process >= static_cast<Process>(job.size)) return false;
    if (runtime::node_of(static_cast<int>(process)) != job.node) return false;
  }
  return true;
}

Error from_hint(const Comm& comm, const std::string& text, std::optional<Layout>& out) {
  if (text == "cart") {
    const CartTopology* const cart = cart_of(comm);
    if (!cart) return refuse("info key cow_layout=cart", "the communicator has no Cartesian topology");
    out = layout_of(*cart);
    return success;
  }
  Layout layout;
  std::string complaint = Layout::parse(text, layout);
  if (complaint.empty()) complaint = layout.fit(comm.size());
  if (!complaint.empty()) return refuse("info key cow_layout", complaint);
  out = layout;
  return success;
}

// `grids_too`: a Cartesian topology may say more. Not where the machine is known to be a switch.
Error from_setting(const Comm& comm, std::optional<Layout>& out, bool& grids_too) {
  Layout layout;
  if (const std::string wrong = Layout::parse(settings().layout, layout); !wrong.empty())
    return refuse("COW_LAYOUT", wrong);
  grids_too = layout.kind() != Layout::Kind::network_switch;
  if (!is_world_in_order(comm)) return success;
  const std::string wrong = layout.fit(comm.size());
  // A program that runs alone is not what the layout was meant for.
  const bool whole_job = comm.size() == runtime::job().size && comm.size() > 1;
  if (!wrong.empty() && whole_job) return refuse("COW_LAYOUT", wrong);
  if (wrong.empty()) out = layout;
  return success;
}

}  // namespace

Error find_layout(const Comm& comm, std::optional<Layout>& out) {
  out.reset();
  if (const std::string* const hint = comm.info ? comm.info->get("cow_layout") : nullptr)
    return from_hint(comm, *hint, out);
  if (comm.inter()) return success;
  bool grids_too = true;
  if (!settings().layout.empty())
    if (Error error = from_setting(comm, out, grids_too)) return error;
  if (out || !grids_too) return success;
  const CartTopology* const cart = cart_of(comm);
  if (cart && (!settings().layout.empty() || !on_one_node(comm))) out = layout_of(*cart);
  return success;
}

std::optional<Layout> layout_of(const CartTopology& cart) {
  std::string extents;
  int dimensions = 0;
  bool around = true, all_two = true;
  for (std::size_t d = 0; d < cart.dims.size(); ++d) {
    if (cart.dims[d] == 1) continue;
    extents += (dimensions++ ? "x" : "") + std::to_string(cart.dims[d]);
    around = around && cart.periods[d];
    all_two = all_two && cart.dims[d] == 2;
  }
  if (dimensions == 0) return {};
  std::string text = (around ? "torus:" : "mesh:") + extents;
  if (all_two)
    text = "hypercube:" + std::to_string(dimensions);
  else if (around && dimensions == 1)
    text = "ring:" + extents;
  Layout layout;
  return Layout::parse(text, layout).empty() ? std::optional(layout) : std::nullopt;
}

}  // namespace cow::coll
