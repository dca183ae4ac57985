// Finds out what a provider of libfabric really does, between forked processes on loopback. The findings are kept in
// src/transport/ofi/provider_table.def, and table_test.cpp compares the two.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "transport/ofi/provider.hpp"

namespace cow::probe {

using transport::ofi::Provider;
using transport::ofi::Wait;

enum class Verdict { yes, no, hangs, crashes, not_offered };
const char* to_text(Verdict verdict);

struct Findings {
  Verdict opens = Verdict::no;
  double load_ms = 0, open_ms = 0;             // libfabric with its first answer; a port
  std::size_t memory_kib = 0;                  // private resident memory that both add
  Verdict order_small = Verdict::not_offered;  // messages of at most 16 KiB complete in the order sent
  Verdict order_large = Verdict::not_offered;  // and those of up to 60,000 bytes
  Verdict multi_receive =
      Verdict::not_offered;  // four senders, shared buffers, posted again with care: all bytes right
  Wait wait = Wait::none;
  std::string dead_peer;  // what sends to a killed process come to, within two seconds
  Verdict garbage = Verdict::not_offered;
  Verdict read = Verdict::not_offered;
  Verdict write = Verdict::not_offered;  // the data are in place when a message sent after the end arrives
};

// `effort` 1: a few seconds; larger: so many times more messages. `only_claimed`: no garbage for a row that does not
// claim to survive it, since that takes until a time limit.
Findings examine(const Provider& provider, int effort, bool only_claimed);

// The parts. Each forks what it needs.
void find_start(const Provider& provider, Findings& out);
Verdict find_order(const Provider& provider, std::size_t largest, int messages);
Verdict find_multi_receive(const Provider& provider, int messages);
Wait find_wait(const Provider& provider);
std::string find_dead_peer(const Provider& provider);
Verdict find_garbage(const Provider& provider, int rounds);
Verdict find_remote(const Provider& provider, bool write);

}  // namespace cow::probe
