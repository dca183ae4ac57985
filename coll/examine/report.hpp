// What the examiner says of an algorithm on a layout, as text.
#pragma once

#include <string>
#include <string_view>

#include "coll/examine/links.hpp"

namespace cow::coll {

// Steps, messages, hops, busiest-link load and predicted time; a line for each run of equal steps when `steps`.
std::string report(const Case& c, const Wires& wires, const Model& model, bool steps);

// A table in Markdown: algorithms down, layouts across, all of `ranks` places; in a cell the predicted time, the steps,
// the longest way and the bytes over the busiest link. `collective` empty: broadcast and allreduce; `only`, if not
// empty: that algorithm. Those that apply to none of the layouts are left out.
std::string compare(std::string_view collective, std::string_view only, int ranks, Count bytes, const Model& model);

}  // namespace cow::coll
