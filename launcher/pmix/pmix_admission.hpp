// In front of PMIx's listener. PMIx 4.2.2 reads what a new connection says in the thread that serves all ranks, and waits
// there until it is complete; so whoever connects and says half a greeting brings the node to a standstill, and what makes
// no sense it complains of on standard error. It also believes what a process says of its user. So ranks are told the port
// of this check, on loopback. A connection goes on to PMIx when it belongs to this user and the whole greeting of a rank
// of this job lies in it; others wait in here, five seconds at most. PMIx starts when the first may pass.
//
// How it goes on: this program has an accept() of its own, which libpmix calls in place of the C library's, and which
// gives it what was let through and nothing else, whoever knocks at PMIx's own port.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "launcher/core/loop.hpp"

namespace cow::launch {

class PmixAdmission {
 public:
  // `pmix_port` starts PMIx if that has not been done, and tells its port; 0: it cannot be started.
  PmixAdmission(Loop& loop, std::function<std::uint16_t()> pmix_port) : loop_(loop), pmix_port_(std::move(pmix_port)) {}
  PmixAdmission(const PmixAdmission&) = delete;
  PmixAdmission& operator=(const PmixAdmission&) = delete;
  ~PmixAdmission();

  // What went wrong; empty when nothing did. The job's name is in the greeting of each of its ranks. All `ranks` of the
  // node may come while PMIx starts, and none is turned away for another.
  std::string open(const std::string& job_name, std::size_t ranks);
  std::uint16_t port() const { return port_; }

 private:
  void take_in();
  void look_at(int guest);
  void pass(int guest);
  void turn_away(int guest);

  Loop& loop_;
  std::function<std::uint16_t()> pmix_port_;
  std::string job_name_;
  std::size_t most_waiting_ = 0;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::map<int, std::uint64_t> guests_;  // descriptor to the timer that ends its stay
};

}  // namespace cow::launch
