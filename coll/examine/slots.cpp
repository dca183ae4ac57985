#include "coll/examine/slots.hpp"

#include <algorithm>

namespace cow::coll {

bool ImaginedSlots::open(int r, Count bytes) {
  const int round = of(r).present + 1, least = round - places + 1;
  for (const Rank& other : ranks_)
    if (other.published < least) return false;
  of(r).present = round;
  Slot& mine = slot(r, round);
  mine = {round, std::vector<Value>(static_cast<std::size_t>(bytes)),
          std::vector<bool>(static_cast<std::size_t>(bytes)), false, false};
  return true;
}

bool ImaginedSlots::await(int r, int first, int end) {
  const int round = of(r).present;
  for (int other = first; other < end; ++other)
    if (of(other).published < round) return false;
  for (int other = first; other < end; ++other) of(r).awaited[static_cast<std::size_t>(other)] = round;
  return true;
}

bool ImaginedSlots::await_complete(int r, int other) {
  const int round = of(r).present;
  if (of(other).published < round || !slot(other, round).complete) return false;
  of(r).completed[static_cast<std::size_t>(other)] = round;
  return true;
}

std::string ImaginedSlots::publish(int r, bool complete) {
  if (of(r).published == of(r).present) return "publishes a round twice";
  Slot& mine = slot(r, of(r).present);
  of(r).published = of(r).present;
  mine.published = true;
  mine.complete = complete;
  return {};
}

std::string ImaginedSlots::complete(int r) {
  Slot& mine = slot(r, of(r).present);
  if (!mine.published) return "completes what it has not published";
  mine.complete = true;
  return {};
}

std::string ImaginedSlots::fit(int r, int other, Count room) const {
  const Slot& theirs = of(other).slots[of(r).present % places];
  return static_cast<Count>(theirs.cells.size()) > room ? "rank " + std::to_string(other) + " publishes too much" : "";
}

Value* ImaginedSlots::cells(int r, shm::SlotAddress at, Count n, bool writes, std::string& wrong) {
  if (at.rank < 0 || at.rank >= static_cast<int>(ranks_.size())) return wrong = "touches a slot of no rank", nullptr;
  const int round = of(r).present - at.of_last_round;
  Slot& there = slot(at.rank, round);
  const std::string which = "of rank " + std::to_string(at.rank) + " in round " + std::to_string(round);
  if (there.round > round) return wrong = "touches a slot " + which + " that is written again", nullptr;
  if (there.round < round) return wrong = "reads a slot " + which + " that is not published", nullptr;
  if (at.byte < 0 || at.byte + n > static_cast<Count>(there.cells.size()))
    return wrong = "touches a slot " + which + " from " + std::to_string(at.byte) + " to " +
                   std::to_string(at.byte + n) + ", outside of what is published",
           nullptr;
  if (writes && (at.rank != r || at.of_last_round)) return wrong = "writes to a slot " + which, nullptr;
  return writes ? written(r, there, at.byte, n, wrong) : read(r, at.rank, there, at.byte, n, wrong);
}

Value* ImaginedSlots::written(int, Slot& mine, Count at, Count n, std::string& wrong) {
  const auto first = static_cast<std::size_t>(at), end = static_cast<std::size_t>(at + n);
  if (mine.complete) wrong = "changes what is complete";
  for (std::size_t i = first; mine.published && i < end; ++i) {
    if (!mine.added[i] && !mine.cells[i].nothing()) wrong = "changes what is published";
    mine.added[i] = true;
  }
  return wrong.empty() ? mine.cells.data() + at : nullptr;
}

Value* ImaginedSlots::read(int r, int from, Slot& there, Count at, Count n, std::string& wrong) {
  const Rank& reader = of(r);
  if (from == r) return there.cells.data() + at;
  const std::string which = " of rank " + std::to_string(from) + " in round " + std::to_string(there.round);
  const auto other = static_cast<std::size_t>(from);
  if (reader.published > there.round) wrong = "reads a slot" + which + " that may be written again";
  if (reader.awaited[other] < there.round && reader.completed[other] < there.round)
    wrong = "reads a slot" + which + " that it has not awaited";
  for (Count i = at; i < at + n; ++i)
    if (there.added[static_cast<std::size_t>(i)] && reader.completed[other] < there.round)
      wrong = "reads what was added to a slot" + which + " and may not be complete";
  return wrong.empty() ? there.cells.data() + at : nullptr;
}

}  // namespace cow::coll
