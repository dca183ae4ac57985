// Processes that look into a provider together, with raw libfabric objects, and a board in shared memory between them.
#pragma once

#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "provider/probe.hpp"
#include "transport/ofi/fabric.hpp"

namespace cow::probe {

struct Board {
  static constexpr int most = 8;
  std::atomic<int> named{0};  // how many have written their name
  std::size_t name_sizes[most] = {};
  char names[most][256] = {};
  std::atomic<long> wrong{0};  // what the crew counts
  std::atomic<long> count{0};
  std::atomic<bool> over{false};
  char text[128] = {};
};

// One process of a crew.
class Member {
 public:
  Member(int number, int size, Board& shared) : index(number), crew(size), board(shared) {}

  // Opens the provider and learns everybody's address. Exits with status 9 when it cannot be opened.
  void open(const Provider& provider);
  fid_ep* ep() const { return fabric->eps.front().get(); }
  fid_cq* queue() const { return fabric->queue.get(); }
  fi_addr_t peer(int member) const { return peers[static_cast<std::size_t>(member)]; }

  const int index;
  const int crew;
  Board& board;
  std::unique_ptr<transport::ofi::Fabric> fabric;
  std::vector<fi_addr_t> peers;
};

// Runs `body` in `size` processes, for at most `seconds`. yes when all ended with 0; no when one ended with another
// status or the board counts something wrong; crashes, hangs.
Verdict run_crew(int size, int seconds, Board& board, const std::function<void(Member&)>& body);

// A board that forked processes share. Freed with the process.
Board& new_board();

}  // namespace cow::probe
