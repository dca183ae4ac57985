// Why a rank waits: told on a signal, or when nothing has moved for COW_WHY_AFTER. Costs nothing before.
//
// Each rank that waits tells mpirun what it is in and what that waits for, in lines, by its line to the agent; mpirun shows them
// behind "[rank N] why: " and draws its conclusions from them (launcher/mpirun/why.hpp). Without mpirun it shows them itself.
#pragma once

namespace cow::api {

// The signal that asks: SIGURG, which does no harm to a process that knows nothing of it; unless the program has taken it.
void listen_for_why();

}  // namespace cow::api
