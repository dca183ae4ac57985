#include "runtime/announced.hpp"

#include <cstdlib>

#include "runtime/agent_line.hpp"
#include "runtime/pmi.hpp"

namespace cow::runtime {
namespace {

int number_in(const char* variable) {
  const char* text = getenv(variable);
  const int number = text ? atoi(text) : 0;
  return number > 0 ? number : -1;
}

}  // namespace

// In the order in which join_job() looks for a launcher.
int announced_size() {
  if (agent_line::is_offered()) return number_in("COW_JOB_SIZE");
  if (const char* name = getenv("PMIX_NAMESPACE"); name && *name) {
    for (const char* variable : {"SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE"})
      if (const int size = number_in(variable); size > 0) return size;
    return -1;
  }
  return pmi::is_offered() ? number_in("PMI_SIZE") : 1;
}

}  // namespace cow::runtime
