#include "objects/blame.hpp"

#include <utility>

#include "objects/comm.hpp"

namespace cow {
namespace {

thread_local Comm* blamed = nullptr;

}  // namespace

void blame(Comm* comm) {
  if (comm) retain(*comm);  // what failed may have held the last reference
  if (blamed) release(*blamed);
  blamed = comm;
}

Comm* take_blamed() { return std::exchange(blamed, nullptr); }

}  // namespace cow
