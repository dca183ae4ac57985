// The job: who this process is and who the others are, as the launcher tells it through PMIx. A process that nobody
// launched is a job of one and starts no PMIx.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/siphash.hpp"

namespace cow::runtime {

// The MPI_COMM_WORLD of this process. Ranks of it are also the first process numbers.
struct Job {
  bool launched = false;  // false: a job of one
  std::string name;       // the PMIx namespace; "alone" when not launched
  std::uint64_t id = 0;   // hash of the name: tells jobs apart on the wire
  int rank = 0;
  int size = 1;
  int local_rank = 0;
  int local_size = 1;            // ranks on this node
  std::vector<int> local_ranks;  // which they are, rising; empty: all of the job, or the launcher did not say
  int universe_size = -1;        // -1: the launcher did not say
  int appnum = -1;               // -1: the launcher did not say
  std::uint32_t node = 0;        // the launcher's number of this node
  SipKey key;                    // the job's key; all ranks have the same, strangers do not
};

const Job& job();

// This process is not the one that joined the job, but was forked from it.
bool is_child();

// Reads the environment, starts the PMIx client when there is a launcher. Fails with a message when a launcher of
// several ranks is visible but cannot be used.
Error join_job();

// The end, in two steps: a barrier of all ranks, during which progress goes on; then, with the network closed, the end of
// the PMIx client.
Error leave_job();
void end_pmix();

// After end_pmix(): starts the PMIx client again, as the same process with the same address.
Error rejoin_job();

// Names of the process sets that the launcher knows, and the ranks of one of them; empty when it knows none.
std::vector<std::string> process_sets();
std::vector<std::uint32_t> members_of(const std::string& process_set);

// The node of a rank of the job, as the launcher numbers nodes. The first call for a rank may ask the launcher.
std::uint32_t node_of(int rank);

// Makes bytes known to all ranks that ask for them. Call once.
Error publish_address(const std::string& bytes);

// Asks for what a rank published; waits (without blocking this call) until it has. `got` is called from progress, with
// an error when the rank has ended or the launcher does not know.
using Got = std::function<void(Error, std::string)>;
void fetch_address(int rank, Got got);

// What this rank waits for, in lines, told to a launcher that can make something of it. False: there is none.
bool report_wait(const std::string& lines);

// Ends the job: tells the launcher, then the process. In a child, ends the child alone. `status` is the exit status asked
// for; the message, if not
// empty, is one line for standard error.
[[noreturn]] void abort_job(int status, const std::string& message);

// Calls `run` from progress, soon. May be called from any thread.
void run_in_progress(std::function<void()> run);

}  // namespace cow::runtime
