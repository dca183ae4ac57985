// Numbers that each rank has for some others.
#pragma once

#include <span>
#include <vector>

#include "objects/comm.hpp"

namespace cow::topo {

class Parcels {
 public:
  explicit Parcels(const Comm& comm) : to_(static_cast<std::size_t>(comm.size())) {}

  void add(int to, std::span<const int> numbers) {
    std::vector<int>& parcel = to_[static_cast<std::size_t>(to)];
    parcel.insert(parcel.end(), numbers.begin(), numbers.end());
  }
  // Collective: delivers them. `arrived` is what all ranks had for this one, in the order of ranks.
  Error deliver(Comm& comm, std::vector<int>& arrived) const;

 private:
  std::vector<std::vector<int>> to_;
};

}  // namespace cow::topo
