// A stranger who sends garbage to a port's socket.
#pragma once

#include <netinet/in.h>

#include <random>
#include <string>

namespace cow::test {

// The last address of a published text.
sockaddr_in address_in(const std::string& published);

// Connects, sends random bytes, some of which begin as the providers' own messages do, and goes away.
void throw_garbage(const sockaddr_in& target, std::minstd_rand& random, bool datagrams = false);

}  // namespace cow::test
