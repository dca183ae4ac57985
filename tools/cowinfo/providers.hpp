// What cowinfo says of the networks' library.
#pragma once

#include <string>

namespace cow {

std::string libfabric_version();  // "1.17", or empty when there is none
void print_providers();

}  // namespace cow
