// In front of PMIx's listener. PMIx 4.2.2 reads what a new connection says in the thread that serves all ranks, and waits
// there until it is complete; so whoever connects and says half a greeting brings the node to a standstill, and what makes
// no sense it complains of on standard error. It also believes what a process says of its user. So this program has an
// accept() of its own, which libpmix calls in place of the C library's: a connection is handed over when it belongs to
// this user and the whole greeting of a rank of this job lies in it. The others wait in the gate, five seconds at most.
#pragma once

#include <string>

namespace cow::launch {

// The name of the job, which the greeting of each of its ranks contains. Nobody is let in before.
void open_gate(const std::string& job_name);

}  // namespace cow::launch
