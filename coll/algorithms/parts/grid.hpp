// The ranks as a grid with wrapped dimensions: a layout's own, or one ring where nothing is known.
#pragma once

#include <vector>

#include "base/layout.hpp"
#include "coll/core/verbs.hpp"

namespace cow::coll {

struct Grid {
  std::vector<int> extents;  // dimensions of extent 1 are left out
  std::vector<int> strides;

  Grid(const Layout* layout, int size) {
    if (layout && layout->dimensions() > 0) {
      for (int d = 0; d < layout->dimensions(); ++d) add(layout->extent(d), layout->stride(d));
    } else {
      add(size, 1);
    }
  }
  int dimensions() const { return static_cast<int>(extents.size()); }
  int extent(int d) const { return extents[static_cast<std::size_t>(d)]; }
  int coordinate(int rank, int d) const { return rank / strides[static_cast<std::size_t>(d)] % extent(d); }
  // The rank whose coordinate in a dimension is `to`, around.
  int moved(int rank, int d, int to) const {
    return rank + (modulo(to, extent(d)) - coordinate(rank, d)) * strides[static_cast<std::size_t>(d)];
  }
  bool powers_of_two() const {
    for (int extent : extents)
      if (!power_of_two(extent)) return false;
    return true;
  }

 private:
  void add(int extent, int stride) {
    if (extent == 1) return;
    extents.push_back(extent);
    strides.push_back(stride);
  }
};

}  // namespace cow::coll
