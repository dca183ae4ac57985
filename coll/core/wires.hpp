// What messages travel over: the links of a layout of the ranks, or, where only nodes are known, the two links of each
// node to and from a switch. Messages inside of a node use no link.
#pragma once

#include <optional>

#include "base/layout.hpp"
#include "coll/core/nodes.hpp"

namespace cow::coll {

class Wires {
 public:
  explicit Wires(const Layout& layout) : layout_(layout) {}
  Wires(const std::optional<Layout>& layout, const std::optional<Nodes>& nodes) : layout_(layout), nodes_(nodes) {}
  // Whether anything is known: else a switch with a link to and from each rank.
  static bool known(const std::optional<Layout>& layout, const std::optional<Nodes>& nodes) {
    return layout || (nodes && nodes->two_levels());
  }

  const Layout* layout() const { return layout_ ? &*layout_ : nullptr; }
  const Nodes* nodes() const { return nodes_ ? &*nodes_ : nullptr; }
  int size() const { return layout_ ? layout_->size() : static_cast<int>(nodes_->size()); }
  int links() const { return layout_ ? layout_->links() : 2 * nodes_->count(); }
  bool inside(int from, int to) const { return nodes_ && nodes_->node(from) == nodes_->node(to); }

  int hops(int from, int to) const {
    if (inside(from, to)) return 0;
    return layout_ ? layout_->hops(from, to) : 2;
  }
  // Calls visit(link) for each link on the way.
  template <class Visit>
  void route(int from, int to, Visit visit) const {
    if (inside(from, to)) return;
    if (layout_) return layout_->route(from, to, visit);
    visit(2 * nodes_->node(from));
    visit(2 * nodes_->node(to) + 1);
  }

 private:
  std::optional<Layout> layout_;
  std::optional<Nodes> nodes_;
};

}  // namespace cow::coll
