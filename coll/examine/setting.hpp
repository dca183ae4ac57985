// What stands in each rank's memory before a collective and must stand there afterwards. See machine.hpp.
#pragma once

#include <memory>
#include <vector>

#include "coll/examine/machine.hpp"
#include "coll/examine/values.hpp"

namespace cow::coll {

// Imagined addresses: the number of a memory area and an offset in it.
inline constexpr int area_shift = 44;
inline constexpr Address area_address(int area) { return static_cast<Address>(area) << area_shift; }
inline constexpr int send_area = 1;
inline constexpr int recv_area = 2;
inline constexpr int scratch_area = 3;  // and above, one for each room

struct Expected {
  Count offset;  // in the area of the result
  Value value;
};

struct RankSetting {
  Args args;
  std::vector<Count> counts, displs, send_counts, send_displs;  // what args points to
  std::vector<Value> send, recv;                                // before
  std::shared_ptr<const Neighbours> neighbours;                 // likewise
  int result_area = recv_area;
  std::vector<Expected> expected;
  bool send_is_const = true;  // not in place
};

// One a rank.
std::vector<RankSetting> make_settings(const Case& c);

// The same without memory and expectations: arguments only, not in place.
RankSetting make_arguments(const Case& c, int rank);

}  // namespace cow::coll
