// The line to the agent of this library's own launcher (base/agent_wire.hpp). It tells the same as the agent's PMIx server,
// which serves everybody else's programs, at a fraction of the time and memory. Not for more than one thread at once.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/siphash.hpp"

namespace cow::runtime::agent_line {

struct Facts {
  std::string name;  // of the job
  int rank = 0;
  int size = 1;
  int local_rank = 0;
  int appnum = 0;
  std::uint32_t node = 0;
  std::vector<int> local_ranks;      // rising
  std::vector<std::uint32_t> nodes;  // by rank; empty: all are on this node
};

// Whether an agent may be there; join() finds out. Without it, or when it speaks another version, PMIx is left.
bool is_offered();
bool join(Facts& out);

bool ask_key(SipKey& out);
int ask_memory();  // the descriptor of what the ranks of this node share, closed on exec; -1: it is not given
Error publish(std::string_view bytes);

// The questions above wait for their answers, and come before any of these, which do not wait. The functions are called in
// another thread. `wrong`: why there are no bytes; null: there are.
using Fetched = std::function<void(const char* wrong, std::string bytes)>;
void fetch(int rank, Fetched got);
void start_fence(std::function<void()> done);

// What this rank waits for, in lines, for mpirun to show. Does not wait for room; false: nobody takes it. From any thread.
bool report_wait(std::string_view lines);

// Tells the agent to end the job, and waits a moment for that.
void abort(int status);

// The last words. After them join() may be called again.
void leave();

}  // namespace cow::runtime::agent_line
