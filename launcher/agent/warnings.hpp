// Signals by which a resource manager warns the job: it brings them to its own process here, which is the supervisor, or the
// agent, and then they are for the ranks, too; or to every process that it knows of, and then they have them already.
#pragma once

#include <functional>
#include <map>
#include <utility>

#include "launcher/core/loop.hpp"

namespace cow::launch {

class Warnings {
 public:
  // `pass_on`: to the ranks of this node.
  Warnings(Loop& loop, std::function<void(int)> pass_on) : loop_(loop), pass_on_(std::move(pass_on)) {}
  Warnings(const Warnings&) = delete;
  Warnings& operator=(const Warnings&) = delete;

  // The signal has come to the agent, either straight or by way of the supervisor.
  void take(int signal, bool from_supervisor) {
    constexpr Duration while_others_may_come = 300ms;
    Warning& warning = seen_[signal];
    (from_supervisor ? warning.from_supervisor : warning.direct) = true;
    if (std::exchange(warning.pending, true)) return;
    loop_.after(while_others_may_come, [this, signal] {
      const Warning seen = std::exchange(seen_[signal], {});
      if (!seen.from_supervisor || !seen.direct) pass_on_(signal);
    });
  }

 private:
  struct Warning {
    bool from_supervisor = false, direct = false;  // who has brought it
    bool pending = false;
  };
  Loop& loop_;
  std::function<void(int)> pass_on_;
  std::map<int, Warning> seen_;  // by signal
};

}  // namespace cow::launch
