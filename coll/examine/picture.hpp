// Pictures of what the examiner computes, as SVG.
#pragma once

#include <string>

#include "coll/examine/links.hpp"

namespace cow::coll {

// The links of a ring or of a mesh or torus of one or two dimensions, each directed one as an arrow whose colour and
// width say how many bytes it carried in all; links that nothing used stay grey. Returns what is wrong in `complaint`.
std::string picture_of_links(const LinkReport& report, const Layout& layout, const std::string& title,
                             std::string& complaint);

// Predicted time against size, from 1 B to 16 MiB, both logarithmic: a line for each algorithm of a collective that
// applies to the machine.
std::string picture_of_times(Collective collective, const Layout& layout, const Model& model);

}  // namespace cow::coll
