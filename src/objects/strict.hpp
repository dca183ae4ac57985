// What the library does although the standard does not allow it, since other libraries do it too: under
// COW_CHECKS=strict it tells of it, for programs that shall run everywhere.
#pragma once

#include <string>

#include "base/settings.hpp"

namespace cow {

inline bool is_strict() { return settings().checks == "strict"; }

// Prints the text on standard error with the rank, unless this process has done so before.
void tell_once(const std::string& text);

}  // namespace cow
