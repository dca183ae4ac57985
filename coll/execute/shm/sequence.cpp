#include "coll/execute/shm/sequence.hpp"

#include <cstring>

#include "coll/algorithms/allreduce/doubling.hpp"
#include "coll/algorithms/bcast/binomial.hpp"

namespace cow::coll::shm {

Sequence::Sequence(Comm& comm, const Nodes& nodes, bool fixed_order, double processors)
    : making_(std::make_unique<Area::Making>(comm, nodes, fixed_order, processors, false)) {
  terms_.piece = Slots::buffer_bytes;
  terms_.fixed_order = fixed_order;
  terms_.processors = processors;
}

Sequence::~Sequence() = default;

// ---- making

void Sequence::record_making(coll::Recorder& recorder) {
  static_assert(sizeof(transport::shm::Offer) % sizeof(int) == 0);
  Args offer, answer;
  offer.recv = reinterpret_cast<Address>(&making_->offer);
  offer.count = offer_ints;
  BcastBinomial::run(recorder, offer);
  recorder.add({Entry::Verb::call, 0, 0, 0, 0, nullptr});
  answer.send = reinterpret_cast<Address>(&can_);
  answer.recv = reinterpret_cast<Address>(&all_can_);
  answer.count = 1;
  AllreduceDoubling::run(recorder, answer);
  recorder.add({Entry::Verb::call, 0, 0, 0, 1, nullptr});
}

void Sequence::call(Count number) {
  if (number == 0) return void(can_ = making_->open());
  area_ = making_->finish(all_can_ != 0);
  making_.reset();
}

// ---- turns

void Sequence::leave() {
  stop_waiting();
  opening_ = false;
  ++left_;
}

void Sequence::stop_waiting() {
  if (!waiting_) return;
  waiting_.reset();
  area_->slots().want({});
}

// ---- carrying out

Address Sequence::resolve(Address address) const {
  if (!SlotAddress::is_one(address)) return address;
  const SlotAddress at = SlotAddress::of(address);
  const Slots& slots = area_->slots();
  const bool own = at.rank == slots.rank() && !at.of_last_round;
  const std::byte* const first = own ? place_ : slots.data(at.rank, slots.number() - at.of_last_round);
  return plus(reinterpret_cast<Address>(first), at.byte);
}

// Whether the ranks of `want` have published. While they have not, progress knows of it, so that nobody sleeps through it; and
// now and then it is looked whether they still live.
bool Sequence::came(const Slots::Want& want, Error& error) {
  if (area_->slots().have_published(want)) {
    stop_waiting();
    return true;
  }
  const Nanoseconds time = now();
  if (!waiting_) {
    area_->slots().want(want);
    waiting_.emplace(*area_, want, want.first);
    look_at_ = time + between_looks;
  } else if (time >= look_at_) {
    look_at_ = time + between_looks;
    if (area_->look_for_loss(want.number)) error = area_->loss();
  }
  return false;
}

Sequence::Outcome Sequence::open(const Entry& entry, const Work& work, Error& error) {
  Slots& slots = area_->slots();
  if (area_->has_lost()) return error = area_->loss(), Outcome::over;
  if (!opening_) slots.begin(static_cast<std::size_t>(entry.n), static_cast<std::uint8_t>(work.kind));
  area_->begin(work.tag);
  opening_ = true;
  while (!slots.may_write())
    if (!came({slots.needed_after_wait(), 0, static_cast<std::uint16_t>(slots.size())}, error))
      return error ? Outcome::over : Outcome::waits;
  stop_waiting();
  opening_ = false;
  place_ = slots.place();
  return Outcome::done;
}

Sequence::Outcome Sequence::await(const Entry& entry, const Work& work, Error& error) {
  Slots& slots = area_->slots();
  const int end = static_cast<int>(entry.n);
  if (!came({slots.number(), static_cast<std::uint16_t>(entry.peer), static_cast<std::uint16_t>(end)}, error))
    return error ? Outcome::over : Outcome::waits;
  if (entry.peer == 0 && end == slots.size()) slots.all_have_come();
  for (int r = entry.peer; r < end; ++r) {
    const std::uint8_t kind = slots.kind(r);
    if (kind == static_cast<std::uint8_t>(work.kind)) continue;
    error = fail(ErrorClass::other, "rank %d of the communicator is in %s while this rank is in %s", area_->rank_of(r),
                 kind < collectives ? name_of(static_cast<Collective>(kind)) : "no collective", name_of(work.kind));
    return Outcome::over;
  }
  return Outcome::done;
}

Sequence::Outcome Sequence::execute(const Entry& e, const Work& work, Error& error) {
  Slots& slots = area_->slots();
  const auto at = [&](Address address) { return reinterpret_cast<void*>(resolve(address)); };
  switch (e.verb) {
    case Entry::Verb::open: return open(e, work, error);
    case Entry::Verb::await: return await(e, work, error);
    case Entry::Verb::publish: area_->publish(e.peer != 0); return Outcome::done;
    case Entry::Verb::complete: slots.complete(); return Outcome::done;
    case Entry::Verb::await_complete:
      return slots.has_published(e.peer, slots.number()) && slots.is_complete(e.peer, slots.number()) ? Outcome::done
                                                                                                      : Outcome::waits;
    case Entry::Verb::fit:
      if (const auto came = static_cast<Count>(slots.bytes_of(e.peer, slots.number())); came > e.n)
        error = fail(ErrorClass::truncate, "rank %d sends %lld bytes, of which %lld fit", area_->rank_of(e.peer),
                     static_cast<long long>(came), static_cast<long long>(e.n));
      return Outcome::done;
    case Entry::Verb::move: std::memmove(at(e.to), at(e.from), static_cast<std::size_t>(e.n)); return Outcome::done;
    case Entry::Verb::reduce: work.unit.combine(at(e.from), at(e.to), e.n); return Outcome::done;
    default: return Outcome::not_mine;
  }
}

}  // namespace cow::coll::shm
