// What the ranks of a node want of the rest of the job, and the others of them: fences, addresses, events.
#include <algorithm>
#include <utility>

#include "launcher/agent/agent.hpp"
#include "launcher/agent/heirs.hpp"

namespace cow::launch {
namespace {

constexpr Duration first_patience = 100ms, last_patience = 30s;

}  // namespace

// ---- said by mpirun

void Agent::obey(const frames::FenceAnswer& answer) {
  if (fences_) fences_->answered(answer.fence, answer.status, answer.data);
}

void Agent::obey(const frames::ModexQuestion& asked) {
  if (!modex_.open(asked.question, asked.rank)) return on_modex_answer(asked.question, pmix_process_gone, {});
  if (asked.without_pmix) return lines_.ask_local(asked.question, asked.rank);
  ask_local(asked.question, asked.rank, first_patience);
}

void Agent::obey(const frames::ModexAnswer& answer) { answer_modex(answer.question, answer.status, answer.data); }

void Agent::obey(const frames::Event& event) {
  if (pmix_.server()) pmix_.server()->tell_local(event.status, event.rank, event.infos);
}

// ---- said by the ranks, and answers to them

void Agent::on_connected(std::uint32_t rank) {
  Rank& state = ranks_[rank];
  state.connected = true;
  state.finalized = false;
  if (std::exchange(state.is_left, false)) {
    const pid_t heir = child_above(lines_.process_of(rank));
    state.pid = heir > 0 ? heir : left_of(rank, strays());  // PMIx does not say who it is
    if (state.pid <= 0) ended(rank, 0);                     // gone already
  }
  tell(frames::Connected{rank});
}

void Agent::on_finalized(std::uint32_t rank) { ranks_[rank].finalized = true; }

void Agent::on_abort(std::uint32_t rank, int status, std::string_view message) {
  output_->drain(rank);
  tell(frames::Aborted{rank, status, message});
}

void Agent::on_fence(std::uint64_t fence, const std::vector<std::uint32_t>& ranks, milliseconds limit,
                     std::string_view data) {
  fences_->arrive(self_, fence, ranks, data);
  if (limit > 0ms) {
    loop_.after(limit, [this, fence] { answer_fence(fence, pmix_timed_out, {}); });
  }
}

void Agent::on_modex_request(std::uint64_t question, std::uint32_t rank, milliseconds limit) {
  if (rank >= job_.ranks.size()) return answer_modex(question, pmix_not_found, {});
  tell(frames::ModexRequest{question, rank, (question & RankLines::ours) != 0});
  if (limit > 0ms) {
    loop_.after(limit, [this, question] { answer_modex(question, pmix_timed_out, {}); });
  }
}

// The first rank that wants PMIx has connected.
void Agent::pmix_started(const std::string& wrong) {
  if (!wrong.empty()) return complain(wrong);
  for (const auto& [question, rank] : std::exchange(for_pmix_, {})) {
    if (modex_.is_open(question)) ask_local(question, rank, first_patience);
  }
}

void Agent::answer_fence(std::uint64_t fence, int status, std::string_view data) {
  if (fence & RankLines::ours) return lines_.answer_fence(fence, status == pmix_success);
  if (pmix_.server()) pmix_.server()->answer_fence(fence, status, data);
}

void Agent::answer_modex(std::uint64_t question, int status, std::string_view data) {
  if ((question & RankLines::ours) == 0) {
    if (pmix_.server()) pmix_.server()->answer_modex(question, status, data);
    return;
  }
  const AgentStatus what = status == pmix_success        ? AgentStatus::good
                           : status == pmix_process_gone ? AgentStatus::gone
                           : status == pmix_not_found    ? AgentStatus::unknown_rank
                                                         : AgentStatus::failed;
  lines_.answer_modex(question, what, data);
}

// PMIx 4.2.2 now and then forgets a question that came before its rank had put anything; asked again, it answers.
void Agent::ask_local(std::uint64_t question, std::uint32_t rank, Duration patience) {
  if (!pmix_.server()) {
    for_pmix_.emplace_back(question, rank);
    return;
  }
  pmix_.server()->ask_local(question, rank);
  loop_.after(patience, [this, question, rank, patience] {
    if (modex_.is_open(question)) ask_local(question, rank, std::min(patience * 2, last_patience));
  });
}

void Agent::on_modex_answer(std::uint64_t question, int status, std::string_view data) {
  // A rank that was gone when it was asked about has no open question, but must be answered.
  modex_.close(question);
  tell(frames::ModexAnswer{question, status, data});
}

void Agent::on_event(int status, std::uint32_t rank, std::string_view infos) {
  tell(frames::Event{status, rank, infos});
}

void Agent::on_why(std::uint32_t rank, std::string_view lines) { tell(frames::Why{rank, lines}); }

}  // namespace cow::launch
