#include "coll/examine/machine.hpp"

#include <deque>
#include <unordered_map>
#include <utility>

#include "coll/examine/setting.hpp"
#include "coll/examine/slots.hpp"

namespace cow::coll {
namespace {

// Scratch of one rank: an area for each room.
class ImaginedScratch : public ScratchSource {
 public:
  Address room(Count bytes) override {
    sizes.push_back(bytes);
    return area_address(scratch_area + static_cast<int>(sizes.size()) - 1);
  }
  std::vector<Count> sizes;
};

Unit unit_of(const Case& c) {
  Unit unit;
  unit.commutative = c.commutative;
  return unit;
}

struct Posted {
  const Entry* entry;
  int round;                  // of the step that posted it
  std::vector<Value> values;  // a send's, when posted
};

struct Rank {
  Schedule schedule;
  std::vector<std::vector<Value>> areas;
  size_t next = 0;      // entry to execute
  int outstanding = 0;  // messages of the present step that are not matched yet
  int round = 0;        // steps behind us
  int latest = 0;       // latest round of a message of the present step
  bool waits = false;   // for others on the memory that they share
  std::vector<std::pair<const Entry*, std::vector<Value>>> arrived, sent;  // of the present step
};

// From one rank to another: what waits for the other side, sends or receives. Channels in which nothing waits are not kept:
// a machine of thousands of ranks has millions of pairs.
struct Channel {
  std::vector<Posted> waiting;
  bool sends = false;
};

class Machine {
 public:
  // `values`: follow what is in memory and check it; else only the messages' sizes.
  Machine(const Case& c, bool keep, bool values)
      : case_(c), keep_(keep), values_(values), ranks_(static_cast<size_t>(c.size)),
        slots_(c.algorithm->on_memory ? c.size : 0) {
    if (values) settings_ = make_settings(c);
    for (int r = 0; r < c.size; ++r) {
      const RankSetting s = values ? settings_[static_cast<size_t>(r)] : make_arguments(c, r);
      ImaginedScratch scratch;
      Recorder recorder(r, c.size, unit_of(c), c.layout, c.nodes, scratch, c.memory ? c.memory : &shm::any_terms);
      c.algorithm->record(recorder, s.args);
      Rank& rank = ranks_[static_cast<size_t>(r)];
      rank.schedule = recorder.take();
      if (!values) continue;
      rank.areas = {{}, s.send, s.recv};
      for (Count bytes : scratch.sizes) rank.areas.emplace_back(static_cast<size_t>(bytes));
    }
  }

  Outcome run() {
    for (int r = 0; r < case_.size; ++r) ready_.push_back(r);
    while (!ready_.empty() && out_.wrong.empty()) {
      const int r = ready_.front();
      ready_.pop_front();
      advance(r);
    }
    if (out_.wrong.empty()) check_ended();
    if (out_.wrong.empty() && values_) check_results();
    return std::move(out_);
  }

 private:
  void complain(int r, const std::string& what) {
    if (out_.wrong.empty()) out_.wrong = "rank " + std::to_string(r) + ": " + what;
  }

  // The cells of `n` units at an address; null and a complaint when they are not all inside one area.
  Value* cells(int r, Address address, Count n, bool writes = false) {
    if (shm::SlotAddress::is_one(address)) return cells_of_slot(r, shm::SlotAddress::of(address), n, writes);
    auto& areas = ranks_[static_cast<size_t>(r)].areas;
    const auto area = static_cast<size_t>(address >> area_shift);
    const auto offset = static_cast<Count>(address & ((Address{1} << area_shift) - 1));
    if (area >= areas.size() || offset + n > static_cast<Count>(areas[area].size())) {
      complain(r, "touches area " + std::to_string(area) + " from " + std::to_string(offset) + " to " +
                      std::to_string(offset + n) + ", outside of its buffers");
      return nullptr;
    }
    return areas[area].data() + offset;
  }

  Value* cells_of_slot(int r, shm::SlotAddress at, Count n, bool writes) {
    std::string wrong;
    Value* const found = slots_.cells(r, at, n, writes, wrong);
    if (!found) complain(r, wrong);
    return found;
  }

  // Executes entries up to a step that has to wait.
  void advance(int r) {
    Rank& rank = ranks_[static_cast<size_t>(r)];
    while (rank.next < rank.schedule.size() && out_.wrong.empty()) {
      const Entry& e = rank.schedule[rank.next];
      if (e.verb == Entry::Verb::step) {
        if (rank.outstanding > 0) return;
        end_step(r);
      } else if (!execute_on_memory(r, e)) {
        rank.waits = true;
        return;
      } else {
        execute(r, e);
      }
      ++rank.next;
    }
  }

  // False: it must wait.
  bool execute_on_memory(int r, const Entry& e) {
    switch (e.verb) {
      case Entry::Verb::open: return slots_.open(r, e.n);
      case Entry::Verb::await: return slots_.await(r, e.peer, static_cast<int>(e.n));
      case Entry::Verb::await_complete: return slots_.await_complete(r, e.peer);
      case Entry::Verb::publish: note(r, slots_.publish(r, e.peer != 0)); break;
      case Entry::Verb::complete: note(r, slots_.complete(r)); break;
      case Entry::Verb::fit: note(r, slots_.fit(r, e.peer, e.n)); return true;
      default: return true;
    }
    for (int other = 0; other < case_.size; ++other)
      if (std::exchange(ranks_[static_cast<size_t>(other)].waits, false)) ready_.push_back(other);
    return true;
  }
  void note(int r, const std::string& wrong) {
    if (!wrong.empty()) complain(r, wrong);
  }

  void execute(int r, const Entry& e) {
    if (!values_ && e.verb != Entry::Verb::send && e.verb != Entry::Verb::recv) return;
    switch (e.verb) {
      case Entry::Verb::send: return post_send(r, e);
      case Entry::Verb::recv: return post_recv(r, e);
      case Entry::Verb::copy:
      case Entry::Verb::move: return copy(r, e.to, e.from, e.n);
      case Entry::Verb::reduce: return reduce(r, e);
      case Entry::Verb::transfer: {
        const Entry& into = (&e)[1];
        if (into.n != e.n)
          complain(r, "a transfer of " + std::to_string(e.n) + " units into " + std::to_string(into.n));
        return copy(r, into.to, e.from, e.n);
      }
      default: return;
    }
  }

  void copy(int r, Address to, Address from, Count n) {
    const Value* source = cells(r, from, n);
    Value* target = cells(r, to, n, true);
    if (source && target) std::copy(source, source + n, target);
  }

  void reduce(int r, const Entry& e) {
    const Value* left = cells(r, e.from, e.n);
    Value* right = cells(r, e.to, e.n, true);
    for (Count i = 0; left && right && i < e.n; ++i) right[i] = product(left[i], right[i], case_.commutative);
  }

  void post_send(int r, const Entry& e) {
    Rank& rank = ranks_[static_cast<size_t>(r)];
    if (e.peer < 0 || e.peer >= case_.size || e.peer == r) return complain(r, "sends to " + std::to_string(e.peer));
    Posted posted{&e, rank.round + 1, {}};
    if (e.n > 0 && values_) {
      const Value* source = cells(r, e.from, e.n);
      if (!source) return;
      posted.values.assign(source, source + e.n);
    }
    if (values_) rank.sent.emplace_back(&e, posted.values);
    ++rank.outstanding;
    post(r, e.peer, std::move(posted), true);
  }

  void post_recv(int r, const Entry& e) {
    Rank& rank = ranks_[static_cast<size_t>(r)];
    if (e.peer < 0 || e.peer >= case_.size || e.peer == r)
      return complain(r, "receives from " + std::to_string(e.peer));
    if (e.n > 0 && values_) {
      Value* target = cells(r, e.to, e.n);
      if (!target) return;
      std::fill(target, target + e.n, Value{});
    }
    ++rank.outstanding;
    post(e.peer, r, {&e, rank.round + 1, {}}, false);
  }

  void post(int from, int to, Posted posted, bool is_send) {
    const auto key =
        static_cast<std::uint64_t>(from) * static_cast<std::uint64_t>(case_.size) + static_cast<std::uint64_t>(to);
    const auto at = channels_.try_emplace(key).first;
    std::vector<Posted>& waiting = at->second.waiting;
    if (waiting.empty() || at->second.sends == is_send) {
      at->second.sends = is_send;
      waiting.push_back(std::move(posted));
      return;
    }
    Posted other = std::move(waiting.front());
    waiting.erase(waiting.begin());
    if (waiting.empty()) channels_.erase(at);
    if (is_send)
      match(from, to, std::move(posted), other);
    else
      match(from, to, std::move(other), posted);
  }

  void match(int from, int to, Posted sent, const Posted& received) {
    if (sent.entry->n != received.entry->n)
      return complain(to, "expects " + std::to_string(received.entry->n) + " units from rank " + std::to_string(from) +
                              ", which sends " + std::to_string(sent.entry->n));
    const int round = std::max(sent.round, received.round);
    if (keep_) out_.deliveries.push_back({from, to, round, sent.entry->n});
    out_.rounds = std::max(out_.rounds, round);
    if (values_) ranks_[static_cast<size_t>(to)].arrived.emplace_back(received.entry, std::move(sent.values));
    matched(from, round);
    matched(to, round);
  }

  void matched(int r, int round) {
    Rank& rank = ranks_[static_cast<size_t>(r)];
    rank.latest = std::max(rank.latest, round);
    const bool waits = rank.schedule[rank.next].verb == Entry::Verb::step;
    if (--rank.outstanding == 0 && waits) ready_.push_back(r);
  }

  void end_step(int r) {
    Rank& rank = ranks_[static_cast<size_t>(r)];
    for (const auto& [entry, values] : rank.sent)
      if (entry->n > 0 && !std::equal(values.begin(), values.end(), cells(r, entry->from, entry->n)))
        complain(r, "changes what a pending send reads");
    for (const auto& [entry, values] : rank.arrived)
      if (entry->n > 0) std::copy(values.begin(), values.end(), cells(r, entry->to, entry->n));
    rank.sent.clear();
    rank.arrived.clear();
    rank.round = std::max(rank.round, rank.latest);
  }

  void check_ended() {
    for (int r = 0; r < case_.size; ++r) {
      const Rank& rank = ranks_[static_cast<size_t>(r)];
      if (rank.next < rank.schedule.size())
        return complain(
            r, "waits for ever at entry " + std::to_string(rank.next) + " of " + std::to_string(rank.schedule.size()));
    }
  }

  void check_results() {
    for (int r = 0; r < case_.size; ++r) {
      const RankSetting& s = settings_[static_cast<size_t>(r)];
      const auto& areas = ranks_[static_cast<size_t>(r)].areas;
      const auto& result = areas[static_cast<size_t>(s.result_area)];
      for (const Expected& e : s.expected)
        if (result[static_cast<size_t>(e.offset)] != e.value)
          return complain(r, "unit " + std::to_string(e.offset) + " of the result is " +
                                 (result[static_cast<size_t>(e.offset)].nothing() ? "missing" : "wrong"));
      if (s.send_is_const && areas[send_area] != s.send) return complain(r, "the send buffer is changed");
    }
  }

  const Case& case_;
  const bool keep_;
  const bool values_;
  std::vector<RankSetting> settings_;
  std::vector<Rank> ranks_;
  std::unordered_map<std::uint64_t, Channel> channels_;
  std::deque<int> ready_;
  ImaginedSlots slots_;
  Outcome out_;
};

}  // namespace

Outcome examine(const Case& c, bool keep_deliveries) { return Machine(c, keep_deliveries, true).run(); }

Outcome measure(const Case& c) { return Machine(c, true, false).run(); }

}  // namespace cow::coll
