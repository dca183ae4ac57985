#include "api/why.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/settings.hpp"
#include "coll/execute/shm/area.hpp"
#include "objects/comm_name.hpp"
#include "objects/group.hpp"
#include "objects/origin.hpp"
#include "pt2pt/engine.hpp"
#include "runtime/job.hpp"
#include "runtime/progress.hpp"
#include "transport/peer.hpp"

namespace cow::api {
namespace {

constexpr std::size_t most_told = 8;  // operations of a rank

// The report of this rank, in lines.
class Report {
 public:
  __attribute__((format(printf, 2, 3))) void line(const char* format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text_ += text;
    text_ += '\n';
  }
  // To mpirun, which shows it. Under another launcher to standard error, at once, so that the lines of ranks do not mix.
  void hand_in() const {
    if (runtime::report_wait(text_)) return;
    const std::string prefix = "[rank " + std::to_string(runtime::job().rank) + "] why: ";
    std::string out;
    for (std::size_t begin = 0, end; begin < text_.size(); begin = end) {
      end = text_.find('\n', begin) + 1;
      out += prefix;
      out.append(text_, begin, end - begin);
    }
    (void)!write(STDERR_FILENO, out.data(), out.size());
  }

 private:
  std::string text_;
};

// A rank of a communicator, as the job counts ranks.
std::string process_text(const Comm& comm, int rank) {
  if (rank == MPI_ANY_SOURCE) return "any rank";
  return "rank " + std::to_string(comm.peers().process(rank));
}

std::string tag_text(int tag) { return tag == MPI_ANY_TAG ? "any tag" : "tag " + std::to_string(tag); }

// What of a communicator a message belongs to: the program's, a collective's (whose number is the tag), or the library's.
bool is_of_collective(std::uint64_t context) { return context % 2 != 0; }

void tell_collective(Report& report, const Comm& comm, int tag, const std::string& peer) {
  std::string terms;
  if (comm.running && comm.running->root >= 0) terms += ", root " + std::to_string(comm.running->root);
  if (comm.running && comm.running->bytes >= 0) terms += ", " + std::to_string(comm.running->bytes) + " bytes";
  report.line("collective %d on %s (context %llx): waits for %s%s", tag & 0x3fffffff, describe(comm),
              static_cast<unsigned long long>(comm.context), peer.c_str(), terms.c_str());
}

void tell_receive(Report& report, const pt2pt::Receive& receive) {
  const Comm& comm = *receive.args.comm;
  const std::string from = process_text(comm, receive.args.rank);
  if (is_of_collective(receive.args.context)) return tell_collective(report, comm, receive.args.tag, from);
  report.line("receive from %s, %s, on %s (context %llx), room for %zu bytes", from.c_str(),
              tag_text(receive.args.tag).c_str(), describe(comm), static_cast<unsigned long long>(comm.context),
              receive.room);
}

void tell_send(Report& report, const pt2pt::Send& send) {
  const Comm& comm = *send.args.comm;
  const std::string to = process_text(comm, send.args.rank);
  if (is_of_collective(send.args.context)) return tell_collective(report, comm, send.args.tag, to);
  report.line("send to %s, tag %d, on %s (context %llx), %zu bytes", to.c_str(), send.args.tag, describe(comm),
              static_cast<unsigned long long>(comm.context), send.size);
}

// Collectives that wait for others on shared memory, without any message.
void tell_memory_waits(Report& report) {
  using Area = coll::shm::Area;
  for (const Area::Waiting* w = Area::first_waiting(); w; w = Area::next(*w)) {
    const Comm& comm = Area::comm_of(*w);
    report.line("collective %d on %s (context %llx): waits for %s", Area::number(*w), describe(comm),
                static_cast<unsigned long long>(comm.context), process_text(comm, Area::missing(*w)).c_str());
  }
}

// Those of the blocking call itself, if there are such; else all.
template <class Operation>
std::vector<const Operation*> narrowed(std::vector<const Operation*> all, const RequestKind& on_stack) {
  std::vector<const Operation*> own;
  std::copy_if(all.begin(), all.end(), std::back_inserter(own),
               [&](const Operation* o) { return o->kind == &on_stack; });
  return own.empty() ? all : own;
}

void tell_operations(Report& report) {
  std::vector<const pt2pt::Receive*> receives;
  pt2pt::engine.posted.each([&](const pt2pt::Receive& receive) { receives.push_back(&receive); });
  pt2pt::engine.receives.each([&](const pt2pt::Receive& receive) {
    if (!receive.queue) receives.push_back(&receive);
  });
  std::vector<const pt2pt::Send*> sends;
  pt2pt::engine.sends.each([&](const pt2pt::Send& send) { sends.push_back(&send); });
  const bool blocking_receive = std::any_of(receives.begin(), receives.end(), [](const pt2pt::Receive* r) {
    return r->kind == &pt2pt::receive_on_stack_kind;
  });
  const bool blocking_send = std::any_of(sends.begin(), sends.end(),
                                         [](const pt2pt::Send* s) { return s->kind == &pt2pt::send_on_stack_kind; });
  std::sort(receives.begin(), receives.end(), [](const auto* a, const auto* b) { return a->order < b->order; });
  std::size_t told = 0;
  tell_memory_waits(report);
  if (coll::shm::Area::first_waiting() && !blocking_receive && !blocking_send) return;
  if (blocking_receive || !blocking_send)
    for (const pt2pt::Receive* receive : narrowed(receives, pt2pt::receive_on_stack_kind))
      if (told++ < most_told) tell_receive(report, *receive);
  if (blocking_send || !blocking_receive)
    for (const pt2pt::Send* send : narrowed(sends, pt2pt::send_on_stack_kind))
      if (told++ < most_told) tell_send(report, *send);
  if (told > most_told) report.line("and %zu more", told - most_told);
}

void tell_queues(Report& report) {
  for (const transport::Peer* peer : transport::known_peers())
    if (!peer->messages.empty()) report.line("messages for rank %u wait for room there", peer->process);
}

Nanoseconds configured_limit() {
  const std::int64_t after = settings().why_after;
  return after > 0 ? after * millisecond : progress::Source::no_deadline;
}

// Of one wait: once by itself, and whenever asked.
void tell(Nanoseconds idle) {
  const bool asked = progress::long_wait_limit.exchange(progress::Source::no_deadline) == 0;
  constexpr Nanoseconds pause = 3 * second / 2;  // mpirun asks all when the first has told
  static Nanoseconds last = -pause;
  const Nanoseconds time = now();
  if (last >= 0 && (!asked || time - last < pause)) return;
  last = time;
  const Origin origin = present_origin();
  Report report;
  report.line("%.1f s without progress in %s at %s", static_cast<double>(idle) / static_cast<double>(second),
              *origin.call ? origin.call : "a call of MPI", describe_address(origin.address).c_str());
  tell_operations(report);
  tell_queues(report);
  report.hand_in();
}

void asked(int) {
  progress::long_wait_limit.store(0);
  progress::wake();
}

}  // namespace

void listen_for_why() {
  progress::long_wait = tell;
  progress::long_wait_limit.store(configured_limit());
  struct sigaction present = {};
  const int number = SIGURG;  // a process without a handler ignores it
  if (sigaction(number, nullptr, &present) != 0 || present.sa_handler != SIG_DFL) return;
  struct sigaction ours = {};
  ours.sa_handler = asked;
  ours.sa_flags = SA_RESTART;
  sigaction(number, &ours, nullptr);
}

}  // namespace cow::api
