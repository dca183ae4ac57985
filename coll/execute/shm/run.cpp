#include "coll/execute/shm/run.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "coll/core/call.hpp"
#include "coll/select/registry.hpp"
#include "coll/shm/all.hpp"
#include "coll/shm/hierarchical.hpp"

namespace cow::coll::shm {

void Run::put(Address place, Address from, Count bytes) {
  if (bytes <= 0) return;
  const auto size = static_cast<std::size_t>(bytes);
  WayOfWriting& writing = area_.writing();
  const Nanoseconds start = now();
  if (writing.goes_past_caches())
    copy_past_caches(static_cast<std::byte*>(at(place)), static_cast<const std::byte*>(at(from)), size);
  else
    std::memcpy(at(place), at(from), size);
  writing.wrote(size, now() - start);
}

bool Run::lost() {
  if (area_.has_lost()) note(area_.loss());
  return false;
}

bool Run::differs(int rank) {
  const std::uint8_t kind = slots_.kind(rank);
  if (!first_)
    note(fail(ErrorClass::other, "rank %d of the communicator is in %s while this rank is in %s", area_.rank_of(rank),
              kind < collectives ? name_of(static_cast<Collective>(kind)) : "no collective", name_of(kind_)));
  return false;
}

void Run::too_long(int rank, Count came, Count room) {
  if (first_) return;
  note(fail(ErrorClass::truncate, "rank %d sends %lld bytes, of which %lld fit", area_.rank_of(rank),
            static_cast<long long>(came), static_cast<long long>(room)));
}

void Run::hands_on(Count came, Count expected) {
  if (first_) return;
  note(fail(ErrorClass::truncate, "rank %d of the communicator hands on %lld bytes, of %lld", area_.rank_of(0),
            static_cast<long long>(came), static_cast<long long>(expected)));
}

// ---- blocks of any length

// Measured: what a root alone would have to copy goes by messages where many could copy at once.
bool Run::fits(Count bytes) {
  if (bytes <= static_cast<Count>(Slots::small_bytes)) return true;
  const bool gathers = kind_ == Collective::gatherv;
  const bool few = few_at_work(size(), area_.processors());
  const Count most = gathers && !few ? Count{Slots::buffer_bytes} : Count{Slots::large_bytes};
  if (area_.may_make_large_rings() && (bytes <= most || !gathers)) slots_.request_large_ring();
  return bytes <= most && area_.has_large_rings();
}

void Run::pack(Address place, Count from_byte, Count bytes, Address from, Count count, const Datatype* type) {
  if (bytes == 0) return;
  const Address data = plus(from, (type ? type->true_lb : 0) + from_byte);
  if (type && !type->contiguous)
    cow::pack(*type, at(from), count, from_byte, at(place), bytes);
  else if (bytes > static_cast<Count>(Slots::small_bytes))
    put(place, data, bytes);
  else
    move(place, data, bytes);
}

void Run::unpack(int rank, Address place, Count to_byte, Count bytes, Address to, Count count, const Datatype* type) {
  const Count room = data_bytes(count, type), fits = std::min(bytes, room - to_byte);
  if (fits > 0 && (!type || type->contiguous))
    move(plus(to, (type ? type->true_lb : 0) + to_byte), place, fits);
  else if (fits > 0)
    cow::unpack(*type, at(to), count, to_byte, at(place), fits);
  if (to_byte + bytes > room) too_long(rank, to_byte + bytes, room);
}

// A rank's own block: nothing is to be done where it is in place, which is the same data of the same type.
void Run::transfer(Address to, Count to_n, const Datatype* to_type, Address from, Count from_n,
                   const Datatype* from_type) {
  if ((to == from && to_type == from_type) || to_n <= 0 || from_n <= 0) return;
  const Datatype& bytes = *find(MPI_BYTE);
  transfer_data(to, to_n, to_type ? *to_type : bytes, from, from_n, from_type ? *from_type : bytes);
}

// ---- ways

namespace {

using Text = void (*)(Run&, const Args&);

template <class... As>
constexpr auto texts_of(AlgorithmList<As...>) {
  return std::array<Text, sizeof...(As)>{&As::template run<Run>...};
}

constexpr auto texts = texts_of(AllWays{});

}  // namespace

Error run_way(std::size_t way, Area& area, const Operation& operation) {
  if (area.has_lost()) return area.loss();
  const Text text = texts[way - first_way_on_memory];
  Run run(area, operation.collective, operation.unit);
  if (operation.is_plain()) {
    text(run, operation.args);
    return run.result();
  }
  coll::Run packing(area.comm(), area.tag(), operation.unit, nullptr, nullptr);  // sends nothing
  perform(packing, operation, [&](coll::Run&, const Args& args) { text(run, args); });
  return run.result() ? run.result() : packing.result();
}

// ---- parts of collectives of several nodes

namespace {

// The same arguments in bytes of data, as collectives that only move them count.
Args in_bytes(const Unit& unit, const Args& args) {
  Args out = args;
  out.send += static_cast<Address>(unit.true_lb);
  out.recv += static_cast<Address>(unit.true_lb);
  out.count = unit.span(args.count);
  return out;
}

bool collects_and_spreads(Collective whole) {
  return whole == Collective::barrier || whole == Collective::allreduce || whole == Collective::allgather;
}

}  // namespace

Parts::Parts(Area& area, Collective whole, const Unit& unit, Count longest)
    : area_(area), run_(area, whole, unit), one_round_(collects_and_spreads(whole) && longest <= most_at_once) {}

Error Parts::run(Collective which, const Args& args) {
  if (area_.has_lost()) return area_.loss();
  if (area_.is_out_of_step())
    return fail(ErrorClass::no_mem, "this rank had no memory to finish a collective, and is out of step");
  run_.forget();
  perform(which, args);
  is_due_ = one_round_ && run_.rank() == 0 && which != Collective::bcast;
  return run_.result();
}

void Parts::perform(Collective which, const Args& args) {
  const Unit& unit = run_.unit();
  const Count bytes = unit.span(args.count), published = which == Collective::scatter ? bytes * run_.size() : bytes;
  const bool is_long = published > most_at_once;
  const Problem part{run_.size(), 0, true, nullptr, nullptr, Memory::large_rings, area_.processors()};
  switch (which) {
    case Collective::bcast: {
      const Args data = in_bytes(unit, args);
      return one_round_ ? spread(run_, data) : is_long ? BcastPieces::run(run_, data) : Bcast::run(run_, data);
    }
    case Collective::gather:
      if (one_round_) return collect(run_, args, false);
      return is_long ? GatherPieces<false>::run(run_, args) : Gather::run(run_, args);
    case Collective::reduce:
      if (one_round_) return collect(run_, args, true);
      if (!is_long) return Reduce::run(run_, args);
      return many_at_work(part) ? ReduceBlocks::run(run_, args) : ReducePieces::run(run_, args);
    case Collective::scatter: return is_long ? ScatterPieces::run(run_, args) : Scatter::run(run_, args);
    case Collective::scan: return scan<true>(args);
    case Collective::exscan: return scan<false>(args);
    default: broken(__FILE__, __LINE__, "no part of a collective");
  }
}

template <bool inclusive>
void Parts::scan(const Args& args) {
  const Count bytes = run_.span(args.count);
  if (bytes > most_at_once) return ScanPieces<inclusive>::run(run_, args);
  const bool is_short = 2 * half_of(bytes) <= static_cast<Count>(Slots::small_bytes);
  is_short ? ScanLookBack<inclusive>::run(run_, args) : ScanShm<inclusive>::run(run_, args);
}

void Parts::abandon() {
  const bool is_due = std::exchange(is_due_, false);
  if (area_.has_lost()) return;  // the others find that out by themselves, and nothing is to be taken for a result
  if (!is_due) return area_.go_out_of_step();
  if (run_.place_for(0)) run_.publish();
}

}  // namespace cow::coll::shm
