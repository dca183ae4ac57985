// Descriptors that libraries below us open. A child that the program starts must not inherit them, but PMIx and
// libfabric do not open theirs close-on-exec, and libfabric makes connections at moments of its own. So they are looked
// for: those that appear while a library is opened are its own; later ones are told by their addresses, since others
// that appear then may be the program's.
#pragma once

#include <string>
#include <vector>

namespace cow::runtime {

// The descriptors that are open now, in rising order.
std::vector<int> open_descriptors();

// Closes on exec what has been opened since `before` was taken, and remembers the ports that it listens on.
void close_new_ones_on_exec(const std::vector<int>& before);

// Closes on exec the connections to a port of ours, and those to an address of `peers` ("192.0.2.7:40123").
void close_connections_on_exec(const std::vector<std::string>& peers);

}  // namespace cow::runtime
