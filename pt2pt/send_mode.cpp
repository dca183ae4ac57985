#include "pt2pt/send_mode.hpp"

#include <algorithm>

#include "pt2pt/debt.hpp"
#include "pt2pt/fast_path.hpp"
#include "pt2pt/patience.hpp"
#include "pt2pt/send_costs.hpp"
#include "runtime/progress.hpp"

namespace cow::pt2pt {

namespace {

// How long the program goes without waiting for anything after a send of mode `auto`, lately.
class Pauses {
 public:
  void sent() {
    since_ = now();
    end_ = 0;
    progress::next_wait = &end_;
  }
  // Before the next send.
  double learn() {
    progress::next_wait = nullptr;
    if (since_ == 0) return lately_;
    const auto seen = static_cast<double>((end_ != 0 ? end_ : now()) - since_) / static_cast<double>(microsecond);
    since_ = 0;
    return lately_ = lately_ < 0 ? seen : (lately_ + seen) / 2;
  }

 private:
  Nanoseconds since_ = 0;              // 0: there was none
  Nanoseconds end_ = 0;                // written by progress
  double lately_ = Expected::unknown;  // us
};
Pauses pauses;

BufferRelease choose_for(const SendArgs& args, std::size_t size) {
  const Process process = args.comm->peers().process(args.rank);
  if (process == engine.self) return BufferRelease::copy;
  Peer& peer = transport::peer_of(process);
  const std::size_t resident = size < least_snapshot ? 0 : resident_bytes();
  SendCosts costs = peer.local ? near_costs : far_costs;
  // A local peer reads large messages itself, where the kernel permits it.
  costs.alone = progress::has_thread() || (peer.link && transport::port_of(peer).limits(peer.destination).read);
  Expected expected{.size = size, .resident = resident, .pause = pauses.learn()};
  if (peer.lateness >= 0) expected.lateness = peer.lateness;
  // Over a network nobody sees that an offer waits at a receiver which computes. It is presumed to do so as this process does.
  if (!peer.local && expected.pause >= 0)
    expected.lateness =
        std::max(expected.lateness, std::min(expected.pause, costs.alpha + costs.beta * static_cast<double>(size)));
  return choose_buffer_release(costs, expected);
}

// There is no room for what would be kept: a send of mode `auto` waits until there is, or as the others do.
void begin_without_room(Debt& debt, const SendArgs& args) {
  ++buffer_release_counters.over_limit;
  debt.over_limit = true;
  if (buffer_release_of(args) == BufferRelease::automatic) return begin_patiently(debt, args);
  prepare(debt, args);
  begin(debt);
}

// Begins the send. True: the buffer is the program's again.
bool begin_debt(Debt& debt, const SendArgs& args, BufferRelease mode, std::size_t size, bool at_once) {
  if (at_once) {
    prepare(debt, args);
    begin(debt, true);
    if (debt.done() || take_out_of_buffer(debt)) return true;
    ++buffer_release_counters.over_limit;
    return false;
  }
  if (mode == BufferRelease::cow && size >= least_snapshot) {
    if (!room_for_snapshot(size)) return begin_without_room(debt, args), false;
    if (take_snapshot(debt, args, size)) {
      prepare(debt, args);
      begin(debt);
      return true;
    }
  }
  if (!take_room(debt, size)) return begin_without_room(debt, args), false;
  pack(*args.type, args.buffer, args.count, 0, debt.copy, static_cast<MPI_Count>(size));
  prepare(debt, of_copy(args, debt.copy, size));
  begin(debt);
  return true;
}

Error begin_in_mode(const SendArgs& args, BufferRelease mode, std::size_t size, bool at_once, Request*& out) {
  Debt* debt = make_debt();
  if (!begin_debt(*debt, args, mode, size, at_once) || debt->done()) {
    out = debt;
    return success;
  }
  owe(*debt);
  release(*debt);  // the engine keeps it
  SendArgs nothing = args;
  nothing.rank = MPI_PROC_NULL;
  return isend(nothing, out);
}

// By `notify` at first.
Error begin_waiting(const SendArgs& args, Request*& out) {
  if (send_at_once(args.buffer, args.count, *args.type, args.rank, args.tag, *args.comm, args.context)) {
    out = &sent_request;
    retain(sent_request);
    return success;
  }
  Debt* debt = make_debt();
  begin_patiently(*debt, args);
  out = debt;
  return success;
}

Error begin_giving_back(const SendArgs& args, bool blocking, Request*& out) {
  if (args.rank == MPI_PROC_NULL) return isend(args, out);
  const std::size_t size = static_cast<std::size_t>(args.count) * static_cast<std::size_t>(args.type->size);
  const bool at_once = goes_at_once(size, args.comm->peers().process(args.rank));
  BufferRelease mode = buffer_release_of(args);
  if (mode == BufferRelease::automatic) {
    // Who begins a send and waits for it later has said that he does something else meanwhile.
    mode = !blocking || at_once ? BufferRelease::notify : choose_for(args, size);
    ++buffer_release_counters.chosen[static_cast<int>(mode)];
    if (mode == BufferRelease::notify) return begin_waiting(args, out);
  }
  return begin_in_mode(args, mode, size, at_once, out);
}

}  // namespace

Error isend_giving_back(const SendArgs& args, Request*& out) { return begin_giving_back(args, false, out); }

Error send_giving_back(const SendArgs& args) {
  Request* request;
  if (Error error = begin_giving_back(args, true, request)) return error;
  const Error error = wait(*request);
  if (buffer_release_of(args) == BufferRelease::automatic) pauses.sent();
  return error;
}

}  // namespace cow::pt2pt
