// Whether another process of this node has ended.
#pragma once

#include <cstdint>

namespace cow::runtime {

// True also of one whose parent has not asked for its end yet. False where nothing can be known.
bool has_ended(std::int32_t process);

}  // namespace cow::runtime
