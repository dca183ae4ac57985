// How the places of a machine are wired: a switch, a ring, a mesh, a torus or a hypercube. Pure geometry: places are
// numbered from 0, the last dimension of a mesh or torus counting fastest; every link is directed and has a number.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cow {

class Layout {
 public:
  enum class Kind { network_switch, ring, mesh, torus, hypercube };

  // Reads "switch", "switch:12", "ring:8", "mesh:4x4", "torus:4x4x2" or "hypercube:5". Returns what is wrong with the
  // text, or an empty string. A switch without a number has no size of its own: size() is 0 until sized_for().
  static std::string parse(std::string_view text, Layout& out);
  static Layout one_switch(int places);

  // This layout for so many ranks. Returns what is wrong, with the nearest layouts that would fit, or an empty string.
  std::string fit(int ranks);

  Kind kind() const { return kind_; }
  std::string name() const;
  int size() const { return size_; }
  int dimensions() const { return static_cast<int>(extents_.size()); }  // a switch has none
  int extent(int dimension) const { return extents_[static_cast<std::size_t>(dimension)]; }
  int stride(int dimension) const { return strides_[static_cast<std::size_t>(dimension)]; }
  bool wraps() const { return kind_ == Kind::ring || kind_ == Kind::torus || kind_ == Kind::hypercube; }
  int coordinate(int place, int dimension) const { return place / stride(dimension) % extent(dimension); }

  // Links: two a place and dimension (up, down) in a mesh or torus, one in a hypercube, and one to and one from the
  // switch. Not every number is a link that exists (a mesh has borders).
  int links() const;
  std::string link_name(int link) const;

  int hops(int from, int to) const;

  // Calls visit(link) for each link on the way. Dimension by dimension, the shortest way round; of two equally short
  // ways the one upwards.
  template <class Visit>
  void route(int from, int to, Visit visit) const {
    if (from == to) return;
    if (kind_ == Kind::network_switch) {
      visit(2 * from);
      visit(2 * to + 1);
      return;
    }
    int place = from;
    for (int d = 0; d < dimensions(); ++d) {
      int steps = way(coordinate(from, d), coordinate(to, d), d);
      for (; steps != 0; steps += steps > 0 ? -1 : 1) {
        const bool up = steps > 0;
        visit(kind_ == Kind::hypercube ? place * dimensions() + d : 2 * (place * dimensions() + d) + (up ? 0 : 1));
        place = neighbour(place, d, up ? 1 : -1);
      }
    }
  }

  // The place next to `place` in a dimension; direction is 1 or -1. The place itself at the border of a mesh.
  int neighbour(int place, int dimension, int direction) const;

  // Steps from one coordinate to another of a dimension, negative when downwards.
  int way(int from, int to, int dimension) const;

 private:
  Layout(Kind kind, std::vector<int> extents, int size);

  Kind kind_ = Kind::network_switch;
  int size_ = 0;
  std::vector<int> extents_;
  std::vector<int> strides_;

 public:
  Layout() = default;
};

}  // namespace cow
