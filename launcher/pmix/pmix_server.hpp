// The PMIx server of a node, for ranks that do not talk to the agent directly (rank_lines.hpp): programs of other MPI
// libraries, older ones of this. It is a module of its own (cow-pmix.so), loaded when the first of them connects, since
// libpmix and what it brings along is larger than all the rest. PMIx calls its server module on a thread of its own;
// everything arrives here through a loop_calls, on the loop's thread.
#pragma once

#include <pmix_common.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/core/job.hpp"
#include "launcher/core/loop.hpp"

namespace cow::launch {

// What the ranks of this node want of the rest of the job. Called on the loop's thread.
class PmixClientEvents {
 public:
  virtual ~PmixClientEvents() = default;
  virtual void on_connected(std::uint32_t rank) = 0;
  virtual void on_finalized(std::uint32_t rank) = 0;
  virtual void on_abort(std::uint32_t rank, int status, std::string_view message) = 0;
  // All ranks of this node that take part have arrived. `ranks` is empty for the whole job; `limit`: how long
  // they wait; 0: for ever.
  virtual void on_fence(std::uint64_t fence, const std::vector<std::uint32_t>& ranks, milliseconds limit,
                        std::string_view data) = 0;
  // A rank wants what `rank`, on another node, has put. `limit` as above.
  virtual void on_modex_request(std::uint64_t question, std::uint32_t rank, milliseconds limit) = 0;
  // The answer to ask_local().
  virtual void on_modex_answer(std::uint64_t question, int status, std::string_view data) = 0;
  // A rank has raised an event for the other ranks of the job.
  virtual void on_event(int status, std::uint32_t rank, std::string_view infos) = 0;
  // What a rank waits for, in lines. PMIx has no word for it.
  virtual void on_why(std::uint32_t rank, std::string_view lines) = 0;
};

class PmixServer {
 public:
  virtual ~PmixServer() = default;

  virtual std::string register_job(const Job& job) = 0;  // what went wrong; empty when nothing did

  // What PMIx wants in the environment of a rank of this node, as NAME=value.
  virtual std::vector<std::string> rank_environment(std::uint32_t rank) = 0;

  virtual void answer_fence(std::uint64_t fence, int status, std::string_view data) = 0;
  virtual void answer_modex(std::uint64_t question, int status, std::string_view data) = 0;
  // May be answered never: the caller keeps the time.
  virtual void ask_local(std::uint64_t question, std::uint32_t rank) = 0;
  virtual void tell_local(int status, std::uint32_t source, std::string_view infos) = 0;

  // Runs now what PMIx's thread has handed over: called before a rank's end is judged, so that a PMIx_Finalize that
  // came before it is known.
  virtual void drain() = 0;
};

// The module's only symbol. Null: it cannot start, and `wrong` says why.
inline constexpr char start_pmix_name[] = "cow_start_pmix";
using StartPmix = PmixServer*(Loop& loop, PmixClientEvents& events, std::string& wrong);

// PMIx's numbers for the answers that agents and mpirun compose themselves.
inline constexpr int pmix_success = PMIX_SUCCESS;
inline constexpr int pmix_timed_out = PMIX_ERR_TIMEOUT;
inline constexpr int pmix_not_found = PMIX_ERR_NOT_FOUND;
inline constexpr int pmix_process_gone = PMIX_ERR_PROC_TERM_WO_SYNC;

}  // namespace cow::launch
