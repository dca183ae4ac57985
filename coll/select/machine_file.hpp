// The model's numbers as the settings give them: the file that COW_MACHINE names, then COW_COLL_MODEL.
#pragma once

#include <string>

#include "coll/core/model.hpp"

namespace cow::coll {

// Reads the text of a machine file over `out`: one "name = number" a line, as in COW_COLL_MODEL; # begins a comment.
// Returns what is wrong, with the line, or an empty string.
std::string parse_machine(std::string_view text, Model& out);

// What the settings say, read once. Returns what is wrong, or an empty string.
std::string settings_model(Model& out);

// For ranks that all share this node: how many processors it has, unless the settings say. Of the whole node, whatever this
// rank may use of them, since all ranks must go by the same number.
void add_processors(Model& model);

}  // namespace cow::coll
