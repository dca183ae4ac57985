// What the files of active messages share: the handlers of a communicator, and a message while it is handled.
#pragma once

#include <mpix.h>

#include <vector>

#include "pt2pt/active.hpp"
#include "transport/peer.hpp"

namespace cow::pt2pt {

struct HandlerEntry {
  Handler handler;
  void* state;
  Form form;
};

struct Handlers final : CommExtension {
  explicit Handlers(Comm& of) : comm(&of), context(of.context) {}
  ~Handlers() override;
  Comm* comm;
  std::uint64_t context;
  std::vector<HandlerEntry> entries;

  bool has(int index) const { return static_cast<std::size_t>(index) < entries.size(); }  // of a negative one: no
};

constexpr int tag_of(int handler, int header_size) { return handler << 8 | header_size; }

// The credits of a message that is being handled. They go back when nobody holds this any more: the handler, and a reply
// of it that has not left.
struct Credit {
  transport::Peer* peer;  // null: from this process
  std::uint16_t cost;
  std::uint32_t holders = 1;
};

// While a handler runs in progress.
struct Running {
  transport::Peer* peer = nullptr;
  std::uint16_t cost = 0;
  Credit* credit = nullptr;  // made when a reply is queued
};

// What the program sees, and what a reply needs to know.
struct Message : MPIX_Am_message {
  const Handlers* handlers = nullptr;
  Running* running = nullptr;  // in progress
  Credit* credit = nullptr;    // in a thread
};

}  // namespace cow::pt2pt
