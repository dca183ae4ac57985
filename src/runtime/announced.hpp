// What a process knows of its job before it has joined it.
#pragma once

namespace cow::runtime {

// How many ranks the job has, as the environment tells; 1 where nobody launched this process; -1: the launcher tells only
// those who join.
int announced_size();

}  // namespace cow::runtime
