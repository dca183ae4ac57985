// The agent's side of PMIx: the only file of the launcher that includes pmix_server.h is pmix_server.cpp. PMIx calls
// its server module on a thread of its own; everything arrives here through a mailbox, on the loop's thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/job.hpp"
#include "launcher/loop.hpp"

namespace cow::launch {

// What the ranks of this node want of the rest of the job. Called on the loop's thread.
class PmixClientEvents {
 public:
  virtual ~PmixClientEvents() = default;
  virtual void on_connected(std::uint32_t rank) = 0;
  virtual void on_finalized(std::uint32_t rank) = 0;
  virtual void on_abort(std::uint32_t rank, int status, std::string_view message) = 0;
  // All ranks of this node that take part have arrived. `ranks` is empty for the whole job; `limit` in milliseconds,
  // 0 for none.
  virtual void on_fence(std::uint64_t fence, const std::vector<std::uint32_t>& ranks, std::uint32_t limit,
                        std::string_view data) = 0;
  // A rank wants what `rank`, on another node, has put. `limit` as above.
  virtual void on_modex_request(std::uint64_t question, std::uint32_t rank, std::uint32_t limit) = 0;
  // The answer to ask_local().
  virtual void on_modex_answer(std::uint64_t question, int status, std::string_view data) = 0;
  // A rank has raised an event for the other ranks of the job.
  virtual void on_event(int status, std::uint32_t rank, std::string_view infos) = 0;
};

class PmixServer {
 public:
  PmixServer(Loop& loop, PmixClientEvents& events);
  PmixServer(const PmixServer&) = delete;
  PmixServer& operator=(const PmixServer&) = delete;
  ~PmixServer();

  // Each returns what went wrong; empty when nothing did.
  std::string start();
  std::string register_job(const Job& job);

  // What PMIx wants in the environment of a rank of this node, as NAME=value.
  std::vector<std::string> rank_environment(std::uint32_t rank);

  void answer_fence(std::uint64_t fence, int status, std::string_view data);
  void answer_modex(std::uint64_t question, int status, std::string_view data);
  void ask_local(std::uint64_t question, std::uint32_t rank);  // may be answered never: the caller keeps the time
  void tell_local(int status, std::uint32_t source, std::string_view infos);

  // Runs now what PMIx's thread has handed over: called before a rank's end is judged, so that a PMIx_Finalize that
  // came before it is known.
  void drain();

  // PMIx's numbers for the answers that agents and mpirun compose themselves.
  static int success();
  static int timed_out();
  static int not_found();
  static int process_gone();

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace cow::launch
