#include "runtime/job.hpp"

#include <fcntl.h>
#include <pmix.h>
#include <signal.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "runtime/agent_line.hpp"
#include "runtime/at_exit.hpp"
#include "runtime/descriptors.hpp"
#include "runtime/inherited.hpp"
#include "runtime/pmi.hpp"
#include "runtime/progress.hpp"
#include "runtime/waiting.hpp"

namespace cow::runtime {

void open_deferred_calls();  // deferred_calls.cpp

namespace {

constexpr char address_key[] = "cow.address";
constexpr char key_key[] = "cow.key";  // the job's key, where the launcher has none for us

Job the_job;
bool foreign_server = false;  // PMIx, but not that of our own agent
enum class Through { pmix, pmi, agent };
Through through = Through::pmix;   // how the launcher is asked: PMIx, PMI-1, or our own agent without PMIx
std::vector<std::uint32_t> nodes;  // by rank, where PMIx does not tell; empty: unknown (PMI), or one (agent)
std::string published;             // the address that others were told
pmix_proc_t myself;
pid_t joined_as = 0;  // the process that joined the job; its children are not in it

const char* pmix_text(pmix_status_t status) { return PMIx_Error_string(status); }

pmix_proc_t process_of(int rank) {
  pmix_proc_t process;
  PMIX_LOAD_PROCID(&process, myself.nspace, static_cast<pmix_rank_t>(rank));
  return process;
}

// A number that the launcher knows of a process (or of the job: rank PMIX_RANK_WILDCARD), if it does.
std::optional<std::uint32_t> ask_number(const char* key, pmix_rank_t rank) {
  pmix_proc_t process;
  PMIX_LOAD_PROCID(&process, myself.nspace, rank);
  pmix_info_t how[2];
  PMIX_INFO_LOAD(&how[0], PMIX_OPTIONAL, nullptr, PMIX_BOOL);  // answer from what came at start, never ask around
  // PMIx 4.2 looks for the node number of a rank among the facts about its node, where it is not kept, unless told so.
  PMIX_INFO_LOAD(&how[1], PMIX_JOB_INFO, nullptr, PMIX_BOOL);
  pmix_value_t* value = nullptr;
  const pmix_status_t status = PMIx_Get(&process, key, how, strcmp(key, PMIX_NODEID) == 0 ? 2 : 1, &value);
  for (pmix_info_t& info : how) PMIX_INFO_DESTRUCT(&info);
  if (status != PMIX_SUCCESS || !value) return {};
  std::optional<std::uint32_t> out;
  switch (value->type) {
    case PMIX_UINT16: out = value->data.uint16; break;
    case PMIX_UINT32: out = value->data.uint32; break;
    case PMIX_INT: out = static_cast<std::uint32_t>(value->data.integer); break;
    case PMIX_INT32: out = static_cast<std::uint32_t>(value->data.int32); break;
    case PMIX_UINT64: out = static_cast<std::uint32_t>(value->data.uint64); break;
    case PMIX_SIZE: out = static_cast<std::uint32_t>(value->data.size); break;
    case PMIX_PROC_RANK: out = value->data.rank; break;
    default: break;
  }
  PMIX_VALUE_RELEASE(value);
  return out;
}

// The ranks of this node, "0,2,5" in the launcher's words. Asked for only where it is not plain.
std::vector<int> ask_local_ranks() {
  pmix_proc_t process;
  PMIX_LOAD_PROCID(&process, myself.nspace, PMIX_RANK_WILDCARD);
  pmix_info_t optional;
  PMIX_INFO_LOAD(&optional, PMIX_OPTIONAL, nullptr, PMIX_BOOL);
  pmix_value_t* value = nullptr;
  const pmix_status_t status = PMIx_Get(&process, PMIX_LOCAL_PEERS, &optional, 1, &value);
  PMIX_INFO_DESTRUCT(&optional);
  std::vector<int> out;
  if (status != PMIX_SUCCESS || !value) return out;
  if (value->type == PMIX_STRING) {
    for (const char* at = value->data.string; at && *at; at = strchr(at, ',')) {
      if (*at == ',') ++at;
      out.push_back(atoi(at));
    }
  }
  PMIX_VALUE_RELEASE(value);
  std::sort(out.begin(), out.end());
  return out;
}

const char* variable(const char* name) {
  const char* value = getenv(name);
  return value && *value ? value : nullptr;
}

// Row by row, what a launcher of several ranks leaves in the environment of each, if it speaks no PMIx that we could
// use. To run on as N jobs of one would be the worst answer.
Error refuse_foreign_launcher() {
  const char* lost = variable("PMI_FD");
  const char* several = variable("PMI_SIZE");
  if (lost && several && atoi(several) > 1)
    return fail(ErrorClass::other,
                "this process was launched as one of several (PMI_SIZE=%s), but a program between the launcher and "
                "this one closed "
                "the descriptor by which the launcher is asked (PMI_FD=%s); in Python's subprocess, close_fds=False "
                "keeps it open",
                several, lost);
  for (const char* name : {"PMI_SIZE", "SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE", "MPI_LOCALNRANKS"}) {
    const char* value = variable(name);
    if (value && atoi(value) > 1)
      return fail(
          ErrorClass::other,
          "this process was launched as one of several (%s=%s), but the launcher offers neither PMIx nor PMI-1: "
          "use this library's mpirun, or srun --mpi=pmix; to run it alone, unset %s",
          name, value, name);
  }
  return success;
}

// Other people's PMIx servers (Slurm's) may answer that there is nothing where our own waits for it, so under them all
// ranks exchange what they have put before anybody asks.
Error exchange_all() {
  bool with_data = true;
  pmix_info_t how;
  PMIX_INFO_LOAD(&how, PMIX_COLLECT_DATA, &with_data, PMIX_BOOL);
  pmix_proc_t all;
  PMIX_LOAD_PROCID(&all, myself.nspace, PMIX_RANK_WILDCARD);
  const pmix_status_t status = PMIx_Fence(&all, 1, &how, 1);
  return status == PMIX_SUCCESS ? success : fail(ErrorClass::other, "PMIx_Fence: %s", pmix_text(status));
}

// Without a key from the launcher, rank 0 makes one and PMIx, which admits only this job's processes, carries it.
Error agree_on_key(SipKey& key) {
  if (the_job.rank == 0) {
    if (getrandom(&key, sizeof key, 0) != sizeof key) return fail(ErrorClass::other, "no random numbers to be had");
    pmix_value_t value;
    value.type = PMIX_BYTE_OBJECT;
    value.data.bo = {reinterpret_cast<char*>(&key), sizeof key};
    pmix_status_t status = PMIx_Put(PMIX_GLOBAL, key_key, &value);
    if (status == PMIX_SUCCESS) status = PMIx_Commit();
    if (status != PMIX_SUCCESS) return fail(ErrorClass::other, "PMIx_Put: %s", pmix_text(status));
  }
  if (Error error = exchange_all()) return error;
  if (the_job.rank == 0) return success;
  const pmix_proc_t root = process_of(0);
  pmix_value_t* value = nullptr;
  const pmix_status_t status = PMIx_Get(&root, key_key, nullptr, 0, &value);
  if (status != PMIX_SUCCESS || value->type != PMIX_BYTE_OBJECT || value->data.bo.size != sizeof key)
    return fail(ErrorClass::other, "rank 0 has not published the job's key: %s", pmix_text(status));
  memcpy(&key, value->data.bo.bytes, sizeof key);
  PMIX_VALUE_RELEASE(value);
  return success;
}

Error join_launched_job() {
  const std::vector<int> descriptors = open_descriptors();
  pmix_status_t status = PMIx_Init(&myself, nullptr, 0);
  close_new_ones_on_exec(descriptors);
  if (status != PMIX_SUCCESS)
    return fail(ErrorClass::other,
                "the launcher's PMIx server (PMIX_NAMESPACE=%s) does not answer: %s; start the program with mpirun, or "
                "unset PMIX_NAMESPACE to run it alone",
                getenv("PMIX_NAMESPACE"), pmix_text(status));
  the_job.launched = true;
  the_job.name = myself.nspace;
  the_job.id = siphash({}, myself.nspace, strlen(myself.nspace));
  the_job.rank = static_cast<int>(myself.rank);
  const auto size = ask_number(PMIX_JOB_SIZE, PMIX_RANK_WILDCARD);
  if (!size || *size == 0 || the_job.rank >= static_cast<int>(*size))
    return fail(ErrorClass::other, "the launcher's PMIx server does not say how many ranks the job has");
  the_job.size = static_cast<int>(*size);
  the_job.local_rank = static_cast<int>(ask_number(PMIX_LOCAL_RANK, myself.rank).value_or(0));
  the_job.local_size = static_cast<int>(ask_number(PMIX_LOCAL_SIZE, PMIX_RANK_WILDCARD).value_or(1));
  if (the_job.local_size > 1 && the_job.local_size < the_job.size) the_job.local_ranks = ask_local_ranks();
  the_job.universe_size = static_cast<int>(ask_number(PMIX_UNIV_SIZE, PMIX_RANK_WILDCARD).value_or(-1));
  the_job.appnum = static_cast<int>(ask_number(PMIX_APPNUM, myself.rank).value_or(-1));
  the_job.node = node_of(the_job.rank);
  take_memory(false);
  if (take_key(false, the_job.key)) return success;
  if (has_inheritance()) return inheritance_is_lost();
  foreign_server = true;
  return the_job.size > 1 ? agree_on_key(the_job.key) : success;
}

// A job that was aborted has not succeeded.
int exit_status(int code) { return code % 256 == 0 ? 1 : code; }

std::string address_of(int rank) { return std::string(address_key) + "." + std::to_string(rank); }

// Without a key from the launcher, rank 0 makes one. The launcher's store is open to this job's processes alone.
Error agree_on_key_by_pmi(SipKey& key) {
  if (the_job.rank == 0) {
    if (getrandom(&key, sizeof key, 0) != sizeof key) return fail(ErrorClass::other, "no random numbers to be had");
    if (Error error = pmi::put(key_key, {reinterpret_cast<const char*>(&key), sizeof key})) return error;
  }
  if (Error error = pmi::barrier()) return error;
  std::string bytes;
  if (Error error = pmi::get(key_key, bytes)) return error;
  if (bytes.size() != sizeof key) return fail(ErrorClass::other, "rank 0 has not published the job's key");
  memcpy(&key, bytes.data(), sizeof key);
  return success;
}

Error join_by_pmi() {
  pmi::Facts facts;
  if (Error error = pmi::join(facts)) return error;
  the_job.launched = true;
  through = Through::pmi;
  the_job.rank = facts.rank;
  the_job.size = facts.size;
  the_job.universe_size = facts.universe_size;
  the_job.appnum = facts.appnum;
  nodes = std::move(facts.nodes);
  the_job.node = node_of(the_job.rank);
  the_job.local_size = 0;
  for (int rank = 0; rank < the_job.size; ++rank) {
    if (node_of(rank) != the_job.node) continue;
    if (rank < the_job.rank) ++the_job.local_rank;
    ++the_job.local_size;
  }
  if (the_job.size > 1) {
    if (Error error = agree_on_key_by_pmi(the_job.key)) return error;
  }
  // There is no name that is this job's alone, so its key gives one.
  char name[32];
  snprintf(name, sizeof name, "pmi-%016llx", static_cast<unsigned long long>(siphash(the_job.key, "job", 3)));
  the_job.name = name;
  the_job.id = siphash({}, name, strlen(name));
  return success;
}

// Not `joined`: there is no agent of ours that understands this library; PMIx is tried then.
Error join_by_agent(bool& joined) {
  agent_line::Facts facts;
  joined = agent_line::join(facts);
  if (!joined) return success;
  the_job.launched = true;
  through = Through::agent;
  the_job.name = facts.name;
  the_job.id = siphash({}, facts.name.data(), facts.name.size());
  the_job.rank = facts.rank;
  the_job.size = facts.size;
  the_job.local_rank = facts.local_rank;
  the_job.local_size = static_cast<int>(facts.local_ranks.size());
  if (the_job.local_size > 1 && the_job.local_size < the_job.size) the_job.local_ranks = std::move(facts.local_ranks);
  the_job.universe_size = facts.size;
  the_job.appnum = facts.appnum;
  the_job.node = facts.node;
  nodes = std::move(facts.nodes);
  take_memory(true);
  return take_key(true, the_job.key) ? success : inheritance_is_lost();
}

// A request to PMIx that its thread answers; shared between the two threads.
struct Question {
  Got got;
};

void answered(pmix_status_t status, pmix_value_t* value, void* state) {
  const auto* question = static_cast<Question*>(state);
  std::string bytes;
  if (status == PMIX_SUCCESS && value && value->type == PMIX_BYTE_OBJECT)
    bytes.assign(value->data.bo.bytes, value->data.bo.size);
  else if (status == PMIX_SUCCESS)
    status = PMIX_ERR_NOT_FOUND;
  run_in_progress([got = question->got, status, bytes = std::move(bytes)]() mutable {
    got(status == PMIX_SUCCESS ? success : fail(ErrorClass::other, "PMIx_Get: %s", pmix_text(status)),
        std::move(bytes));
  });
  delete question;
}

// A launcher that cannot fence has nothing more to tell; the end goes on without it.
void fence_done(pmix_status_t, void* state) {
  run_in_progress([state] { *static_cast<bool*>(state) = true; });
}

}  // namespace

const Job& job() { return the_job; }

bool is_child() { return joined_as != 0 && getpid() != joined_as; }

Error join_job() {
  open_deferred_calls();
  joined_as = getpid();
  bool joined = false;
  if (agent_line::is_offered()) {
    if (Error error = join_by_agent(joined)) return error;
  }
  if (joined) {
    // All is known.
  } else if (variable("PMIX_NAMESPACE")) {
    if (Error error = join_launched_job()) return error;
  } else if (pmi::is_offered()) {
    if (Error error = join_by_pmi()) return error;
  } else {
    if (Error error = refuse_foreign_launcher()) return error;
    the_job.name = "alone";
    the_job.id = siphash({}, "alone", 5);
  }
  decide_waiting_policy(the_job.local_size, the_job.local_rank);
  return success;
}

Error leave_job() {
  if (!the_job.launched) return success;
  bool ended = false;
  if (through != Through::pmix) {
    const std::function<void()> done = [&ended] { run_in_progress([&ended] { ended = true; }); };
    through == Through::pmi ? pmi::start_barrier(done) : agent_line::start_fence(done);
    progress::wait_until([&] { return ended; });
    return success;
  }
  pmix_proc_t all;
  PMIX_LOAD_PROCID(&all, myself.nspace, PMIX_RANK_WILDCARD);
  const pmix_status_t status = PMIx_Fence_nb(&all, 1, nullptr, 0, fence_done, &ended);
  if (status == PMIX_SUCCESS) progress::wait_until([&] { return ended; });
  return success;
}

void end_pmix() {
  if (through == Through::agent) return agent_line::leave();
  if (through == Through::pmi) {
    // PMI-1 lets a process in only once, and MPI may begin again in it: what is last is said when it exits.
    static bool registered = false;
    if (!std::exchange(registered, true)) at_exit(pmi::end);
    return;
  }
  if (the_job.launched) PMIx_Finalize(nullptr, 0);
}

Error rejoin_job() {
  if (!the_job.launched || through == Through::pmi) return success;
  if (through == Through::agent) {
    agent_line::Facts facts;
    if (!agent_line::join(facts)) return fail(ErrorClass::other, "the launcher does not answer again");
    return published.empty() ? success : publish_address(published);
  }
  const std::vector<int> descriptors = open_descriptors();
  const pmix_status_t status = PMIx_Init(&myself, nullptr, 0);
  close_new_ones_on_exec(descriptors);
  if (status != PMIX_SUCCESS)
    return fail(ErrorClass::other, "the launcher's PMIx server does not answer again: %s", pmix_text(status));
  return published.empty() ? success : publish_address(published);
}

std::uint32_t node_of(int rank) {
  if (!the_job.launched) return 0;
  if (through != Through::pmix) {
    if (!nodes.empty()) return nodes[static_cast<std::size_t>(rank)];
    // A launcher that says nothing of nodes leaves each rank on one of its own: slow, but right.
    return through == Through::pmi ? static_cast<std::uint32_t>(rank) : the_job.node;
  }
  return ask_number(PMIX_NODEID, static_cast<pmix_rank_t>(rank)).value_or(0);
}

Error publish_address(const std::string& bytes) {
  if (through == Through::pmi) {
    if (Error error = pmi::put(address_of(the_job.rank), bytes)) return error;
    return pmi::barrier();
  }
  published = bytes;
  if (through == Through::agent) return agent_line::publish(bytes);
  pmix_value_t value;
  value.type = PMIX_BYTE_OBJECT;
  value.data.bo = {const_cast<char*>(bytes.data()), bytes.size()};
  pmix_status_t status = PMIx_Put(PMIX_GLOBAL, address_key, &value);
  if (status == PMIX_SUCCESS) status = PMIx_Commit();
  if (status != PMIX_SUCCESS) return fail(ErrorClass::other, "PMIx_Put: %s", pmix_text(status));
  return foreign_server && the_job.size > 1 ? exchange_all() : success;
}

void fetch_address(int rank, Got got) {
  if (through == Through::agent) {
    return agent_line::fetch(rank, [rank, got = std::move(got)](const char* wrong, std::string bytes) {
      run_in_progress([rank, got, wrong, bytes = std::move(bytes)]() mutable {
        got(wrong ? fail(ErrorClass::other, "the address of rank %d is not to be had: %s", rank, wrong) : success,
            std::move(bytes));
      });
    });
  }
  if (through == Through::pmi) {
    std::string bytes;
    const Error error = pmi::get(address_of(rank), bytes);
    return run_in_progress([got = std::move(got), error, bytes = std::move(bytes)] { got(error, bytes); });
  }
  const pmix_proc_t process = process_of(rank);
  auto* question = new Question{std::move(got)};
  const pmix_status_t status = PMIx_Get_nb(&process, address_key, nullptr, 0, answered, question);
  if (status != PMIX_SUCCESS) answered(status, nullptr, question);
}

bool report_wait(const std::string& lines) {
  return the_job.launched && through == Through::agent && agent_line::report_wait(lines);
}

void abort_job(int status, const std::string& message) {
  if (!message.empty()) {
    const std::string line = message + "\n";
    (void)!write(STDERR_FILENO, line.data(), line.size());
  }
  if (is_child()) _exit(exit_status(status));  // what stdout holds is the parent's, which goes on
  fflush(stdout);
  if (the_job.launched && through == Through::agent) {
    agent_line::abort(status);
  } else if (through == Through::pmi) {
    pmi::abort(exit_status(status));
  } else if (the_job.launched) {
    // PMIx may hang when the launcher has gone; then the alarm ends this process.
    signal(SIGALRM, SIG_DFL);
    alarm(2);
    PMIx_Abort(status, "", nullptr, 0);
  }
  _exit(exit_status(status));
}

}  // namespace cow::runtime
