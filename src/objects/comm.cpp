#include "objects/comm.hpp"

#include "objects/errhandler.hpp"
#include "objects/info.hpp"

namespace cow {

void release(Comm& comm) {
  if (--comm.references != 0) return;
  COW_INVARIANT(comm.index == 0);  // handles hold references
  delete comm.coll;
  delete comm.topology;
  if (comm.local_comm) release(*comm.local_comm);
  if (comm.info) release(*comm.info);
  if (comm.errhandler) release(*comm.errhandler);
  if (comm.remote_group) release(*comm.remote_group);
  if (comm.group) release(*comm.group);
  delete &comm;
}

}  // namespace cow
