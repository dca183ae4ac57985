// Whether anything listens at an address: asked only when a peer has not answered for long, to tell a peer that is busy
// from one that cannot be reached.
#pragma once

#include <string>

namespace cow::transport {

// Tries to open a TCP connection to "192.0.2.7:40123" or "[2001:db8::7]:40123" and closes it at once. Empty when
// something listens there; else why not ("Connection refused"). Takes at most a second. Text of another form: empty,
// since nothing can be said.
std::string why_unreachable(const std::string& address);

}  // namespace cow::transport
