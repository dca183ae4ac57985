// What the target does with its memory.
#pragma once

#include <vector>

#include "rma/window.hpp"
#include "transport/wire.hpp"

namespace cow::rma {

struct Place {
  std::byte* memory;
  std::size_t bytes;
};
using Places = std::vector<Place>;

// Where the runs of a message lie; false: one of them is not wholly within the window's memory.
bool find_places(Window& window, const wire::Rma& head, const std::byte* runs, Places& out);

void gather(const Places& places, std::byte* out);
void scatter(const Places& places, const std::byte* in);

// False: the message makes no sense.
bool accumulate(const Places& places, const wire::Rma& head, const std::byte* data, std::size_t size);
bool compare_and_swap(const Places& places, const wire::Rma& head, const std::byte* data, std::size_t size);

}  // namespace cow::rma
