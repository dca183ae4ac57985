#include "launcher/mpirun/why.hpp"

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <set>

namespace cow::launch {
namespace {

// The text after `mark`; empty when it is not there.
std::string_view after(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  return at == std::string_view::npos ? std::string_view() : text.substr(at + mark.size());
}

std::string before(std::string_view text, std::string_view mark) {
  return std::string(text.substr(0, text.find(mark)));
}

std::int64_t number_at(std::string_view text) { return std::strtoll(std::string(text).c_str(), nullptr, 10); }

// The rank of "rank 4, …" or -1 for "any rank".
std::int64_t rank_at(std::string_view text) { return text.rfind("rank ", 0) == 0 ? number_at(text.substr(5)) : -1; }

// Waits for requests of any kind: what the request is does not show in the name.
bool tells_collective(const std::string& call) {
  for (const char* word : {"Wait", "Test", "Probe", "probe", "Request", "Recv", "Send", "a call"})
    if (call.find(word) != std::string::npos) return false;
  return true;
}

}  // namespace

int why_signal() { return SIGURG; }

void Why::take(std::uint32_t rank, std::string_view text) {
  if (const std::string_view call = after(text, " s without progress in "); !call.empty()) {
    reports_[rank] = {before(call, " at "), {}};
    return;
  }
  Wait wait;
  if (text.rfind("collective ", 0) == 0) {
    wait.collective = true;
    wait.number = static_cast<int>(number_at(after(text, "collective ")));
    wait.place = before(after(text, " on "), "):") + ")";
    const std::string_view peer = after(text, "waits for ");
    wait.peer = rank_at(peer);
    wait.terms = after(peer, ", ");
  } else if (text.rfind("receive from ", 0) == 0) {
    wait.peer = rank_at(after(text, "receive from "));
  } else if (text.rfind("send to ", 0) == 0) {
    wait.peer = rank_at(after(text, "send to "));
  } else if (text.rfind("messages for ", 0) == 0) {
    wait.peer = rank_at(after(text, "messages for "));
  } else {
    return;
  }
  reports_[rank].waits.push_back(std::move(wait));
}

std::vector<std::string> Why::conclude(std::uint32_t ranks) const {
  if (empty()) return {"no rank waits in MPI: all compute, or wait elsewhere"};
  std::vector<std::string> out;
  mismatches(out);
  if (out.empty()) cycles(out);
  absentees(ranks, out);
  if (out.empty()) out.push_back("all ranks wait, for messages that nobody is about to send");
  return out;
}

// Ranks that are in different collectives on one communicator, at the same number, or in the same with other terms.
void Why::mismatches(std::vector<std::string>& out) const {
  std::map<std::pair<std::string, int>, std::map<std::string, std::vector<std::uint32_t>>> calls;
  for (const auto& [rank, report] : reports_) {
    if (report.waits.empty() || !report.waits.front().collective || !tells_collective(report.call)) continue;
    const Wait& wait = report.waits.front();
    calls[{wait.place, wait.number}][report.call + (wait.terms.empty() ? "" : " (" + wait.terms + ")")].push_back(rank);
  }
  for (const auto& [where, by_call] : calls) {
    if (by_call.size() < 2) continue;
    std::string text = "collectives do not match on " + before(where.first, " (context") + ": ";
    bool first = true;
    for (const auto& [call, ranks] : by_call) {
      text += (first ? "" : ", ") + name_ranks(ranks) + (ranks.size() == 1 ? " is in " : " are in ") + call;
      first = false;
    }
    out.push_back(text + " (number " + std::to_string(where.second) + " on this communicator)");
  }
}

bool Why::find_cycle(std::uint32_t rank, std::vector<std::uint32_t>& path, std::vector<bool>& seen) const {
  if (const auto at = std::find(path.begin(), path.end(), rank); at != path.end()) {
    path.erase(path.begin(), at);
    return true;
  }
  const auto report = reports_.find(rank);
  if (report == reports_.end() || seen[rank]) return false;
  seen[rank] = true;
  path.push_back(rank);
  for (const Wait& wait : report->second.waits)
    if (wait.peer >= 0 && find_cycle(static_cast<std::uint32_t>(wait.peer), path, seen)) return true;
  path.pop_back();
  return false;
}

// Ranks that wait for each other in a circle; one such circle is enough.
void Why::cycles(std::vector<std::string>& out) const {
  std::vector<bool> seen(reports_.rbegin()->first + std::size_t{1});
  for (const auto& entry : reports_) {
    std::vector<std::uint32_t> path;
    if (!find_cycle(entry.first, path, seen)) continue;
    std::string text = "a circle of ranks that wait for each other: ";
    for (std::size_t i = 0; i < path.size(); ++i)
      text += (i ? ", " : "") + std::string("rank ") + std::to_string(path[i]) + " in " + reports_.at(path[i]).call +
              " for rank " + std::to_string(path[(i + 1) % path.size()]);
    out.push_back(text);
    return;
  }
}

// Ranks that do not wait, and for which others do.
void Why::absentees(std::uint32_t ranks, std::vector<std::string>& out) const {
  std::map<std::uint32_t, std::vector<std::uint32_t>> awaited;
  for (const auto& [rank, report] : reports_)
    for (const Wait& wait : report.waits)
      if (wait.peer >= 0 && wait.peer < ranks && !reports_.count(static_cast<std::uint32_t>(wait.peer))) {
        auto& waiting = awaited[static_cast<std::uint32_t>(wait.peer)];
        if (waiting.empty() || waiting.back() != rank) waiting.push_back(rank);
      }
  for (const auto& [rank, waiting] : awaited)
    out.push_back("rank " + std::to_string(rank) +
                  " does not wait in MPI (it computes, is stopped, or waits elsewhere), and " + name_ranks(waiting) +
                  (waiting.size() == 1 ? " waits for it" : " wait for it"));
}

std::string name_ranks(const std::vector<std::uint32_t>& ranks) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < ranks.size();) {
    std::size_t last = i;
    while (last + 1 < ranks.size() && ranks[last + 1] == ranks[last] + 1) ++last;
    parts.push_back(std::to_string(ranks[i]) + (last > i ? "-" + std::to_string(ranks[last]) : ""));
    i = last + 1;
  }
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < parts.size(); ++i)
    text += (i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ") + parts[i];
  return text;
}

}  // namespace cow::launch
