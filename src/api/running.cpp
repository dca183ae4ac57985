#include "api/running.hpp"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "api/leaks.hpp"
#include "api/start.hpp"
#include "api/why.hpp"
#include "base/settings.hpp"
#include "coll/select/machine_file.hpp"
#include "coll/select/send_costs.hpp"
#include "objects/attribute.hpp"
#include "objects/comm.hpp"
#include "objects/completion_fd.hpp"
#include "objects/datatype.hpp"
#include "objects/errhandler.hpp"
#include "objects/group.hpp"
#include "pt2pt/active.hpp"
#include "pt2pt/buffered.hpp"
#include "pt2pt/engine.hpp"
#include "pt2pt/fast_path.hpp"
#include "pt2pt/quiesce.hpp"
#include "pt2pt/send_mode.hpp"
#include "runtime/asking.hpp"
#include "runtime/at_exit.hpp"
#include "runtime/job.hpp"
#include "runtime/lock.hpp"
#include "runtime/progress.hpp"
#include "runtime/thread_pool.hpp"
#include "transport/local_peers.hpp"
#include "transport/peer.hpp"

extern char** environ;

namespace cow::api {
namespace {

int uses = 0;
bool opened = false;   // the network, from the first use on
bool joined = false;   // the launcher's PMIx
bool exiting = false;  // the handler of exit() has run: nobody will close what is parked

void end_this_job(Comm*, int code, const char* text) {
  runtime::abort_job(code, "[rank " + std::to_string(runtime::job().rank) + "] " + text);
}

Error check_settings() {
  Settings ignored;
  const auto complaints = read_settings(environ, false, ignored);
  return complaints.empty() ? success : fail(ErrorClass::other, "%s", complaints.front().c_str());
}

void decide_send_mode() {
  (void)parse(settings().send_mode, default_buffer_release);
  coll::Model model;
  if (!coll::settings_model(model).empty()) return;  // told by the first collective
  pt2pt::near_costs = coll::send_costs(model, false);
  pt2pt::far_costs = coll::send_costs(model, true);
}

// Only what differs from the level asked for is rounded, upwards.
int rounded_level(int required) {
  for (int level : {MPI_THREAD_SINGLE, MPI_THREAD_FUNNELED, MPI_THREAD_SERIALIZED})
    if (required <= level) return level;
  return MPI_THREAD_MULTIPLE;
}

void set_attributes(const runtime::Job& job) {
  predefined_attributes.appnum = {job.appnum, job.appnum >= 0};
  predefined_attributes.universe_size = {job.universe_size, job.universe_size >= 0};
  // The monotonic clocks of different nodes have nothing to do with each other.
  predefined_attributes.wtime_is_global = {job.local_size == job.size, true};
}

void leave_pmix() {
  if (std::exchange(joined, false)) runtime::end_pmix();
}

void close_all() {
  pt2pt::close_engine();
  transport::close();
  opened = false;
}

void close_at_exit() {
  progress::stop_thread();  // before what it uses is destroyed
  exiting = true;
  if (uses > 0) return;  // that is for the launcher to tell
  if (opened) close_all();
  leave_pmix();
}

Error open_all() {
  end_job = end_this_job;
  register_predefined();
  if (Error error = runtime::join_job()) return error;
  joined = true;
  this_process = static_cast<Process>(runtime::job().rank);
  if (Error error = transport::open()) return error;
  pt2pt::open_engine();
  pt2pt::open_quiesce();
  pt2pt::open_active();
  set_attributes(runtime::job());
  watch_leaks();
  listen_for_why();
  opened = true;
  static bool registered = false;
  if (std::exchange(registered, true)) return success;
  runtime::at_exit(close_at_exit);
  if (runtime::job().launched) watch_forks();  // a process alone has nothing that a child could harm
  return success;
}

void print_drops() {
  for (int i = 0; i < transport::drop_count; ++i) {
    const auto reason = static_cast<transport::Drop>(i);
    if (const std::uint64_t count = transport::dropped(reason))
      fprintf(stderr, "cow: rank %d: messages dropped because %s: %" PRIu64 "\n", runtime::job().rank,
              transport::text_of(reason), count);
  }
}

void print_counters() {
  const transport::Counters& counters = transport::counters;
  fprintf(stderr,
          "cow: rank %d: sent %" PRIu64 ", received %" PRIu64 ", out of order %" PRIu64 ", waited for credit %" PRIu64
          ", windows advanced %" PRIu64 ", addresses retried %" PRIu64 ", lost %" PRIu64 ", dropped %" PRIu64 "\n",
          runtime::job().rank, counters.sent, counters.received, counters.out_of_order, counters.credit_waits,
          counters.advances, counters.retried_addresses, counters.lost, transport::dropped());
  print_drops();
  if (const transport::ShmPort* port = transport::shared_memory)
    fprintf(stderr,
            "cow: rank %d: chunks of large messages copied by their senders %" PRIu64 ", for other ranks %" PRIu64 "\n",
            runtime::job().rank, port->chunks_helped(), port->chunks_done_for_others());
  if (progress::yields_when_asked > 0)
    fprintf(stderr, "cow: rank %d: calls that asked in vain and gave the processor up %" PRIu64 "\n",
            runtime::job().rank, progress::yields_when_asked);
  const pt2pt::BufferReleaseCounters& sends = pt2pt::buffer_release_counters;
  if (sends.copies + sends.snapshots + sends.over_limit + sends.chosen[0] > 0)
    fprintf(stderr,
            "cow: rank %d: sends from a copy %" PRIu64 ", from a snapshot %" PRIu64 " (shared: %" PRIu64
            "), copied because no snapshot covers "
            "them %" PRIu64 ", waited because of COW_COPY_LIMIT %" PRIu64 ", lost %" PRIu64
            ", most bytes in copies %zu; auto chose notify %" PRIu64 " (kept later: %" PRIu64 "), copy %" PRIu64
            ", cow %" PRIu64 "\n",
            runtime::job().rank, sends.copies, sends.snapshots, sends.shared, sends.uncovered, sends.over_limit,
            sends.lost, sends.most_copied_bytes, sends.chosen[0], sends.kept_later, sends.chosen[1], sends.chosen[2]);
  const pt2pt::ActiveCounters& active = pt2pt::active_counters;
  if (active.handled > 0)
    fprintf(stderr,
            "cow: rank %d: active messages handled %" PRIu64 " (in threads %" PRIu64 "), queued by handlers %" PRIu64
            ", most bytes that waited for threads %zu, most threads %zu\n",
            runtime::job().rank, active.handled, active.in_threads, active.replies_queued, active.most_waiting,
            runtime::most_threads());
}

void park() {
  progress::stop_thread();
  close_completion_fds();
  if (settings().counters) print_counters();
  if (exiting) {
    close_all();
    leave_pmix();
  }
  runtime::threads_multiple = false;
  pt2pt::allow_short_path(false);
}

}  // namespace

int allowed_level(int required) {
  const int level = rounded_level(required);
  // Calls that go on in another thread now take no lock, and will not before they return.
  const bool alone = uses == 0 || runtime::threads_multiple || is_main_thread() || !world_is_running();
  return alone || level < MPI_THREAD_MULTIPLE ? level : int{MPI_THREAD_SERIALIZED};
}

Error begin_use(int required, int& provided) {
  const progress::Settling settling;
  if (Error error = check_settings()) return error;
  decide_send_mode();
  if (!opened) {
    if (exiting) return fail(ErrorClass::other, "the process is about to exit, and MPI has been closed");
    if (Error error = open_all()) return error;
  } else if (uses == 0) {
    if (!joined)
      if (Error error = runtime::rejoin_job()) return error;
    joined = true;
  }
  ++uses;
  provided = allowed_level(required);
  if (provided == MPI_THREAD_MULTIPLE) runtime::threads_multiple = true;
  pt2pt::allow_short_path(!runtime::threads_multiple);
  if (settings().progress == "thread") return use_progress_thread();
  return success;
}

Error use_progress_thread() {
  if (progress::has_thread()) return success;
  // The calls that these were called from hold no lock, and will not before they return.
  if (!runtime::threads_multiple && (progress::is_polling() || progress::is_running_deferred()))
    return fail(ErrorClass::other,
                "the progress thread cannot be started by a callback or handler at a level below "
                "MPI_THREAD_MULTIPLE");
  if (!progress::start_thread()) return fail(ErrorClass::other, "the system has no thread for progress to give");
  pt2pt::allow_short_path(false);
  return success;
}

namespace {

// Whatever handlers and callbacks of the program still do.
void finish_threads() {
  runtime::end_thread_pool();
  pt2pt::settle_active();
}

}  // namespace

Error end_use() {
  const progress::Settling settling;
  if (uses == 1) {
    finish_threads();
    pt2pt::process_buffer().flush();
    pt2pt::pay_debts();
    pt2pt::leave();
    park();
  }
  --uses;
  return success;
}

Error end_world_use() {
  const progress::Settling settling;
  finish_threads();
  pt2pt::process_buffer().flush();
  pt2pt::pay_debts();
  if (uses == 1) pt2pt::leave_together();
  pt2pt::drain();
  if (Error error = runtime::leave_job()) return error;
  finish_threads();
  report_leaks();  // after the barrier, for what was sent has arrived by now
  if (uses == 1) {
    park();
    leave_pmix();
  }
  --uses;
  return success;
}

}  // namespace cow::api
