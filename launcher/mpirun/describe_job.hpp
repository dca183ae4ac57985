// From the command line to the job: which rank of which program runs on which host, and all else that agents are told.
// Nothing is started here. What is wrong is returned in the user's terms; empty when all is well.
#pragma once

#include <string>

#include "launcher/core/job.hpp"
#include "launcher/mpirun/options.hpp"

namespace cow::launch {

// The ranks of each program and of each host. Hosts that get no rank are left out. Fills job.nodes and job.ranks; the
// applications must be there.
std::string place_job(const Options& options, Job& job);

// A layout ("torus:4x4"; empty: none) that does not have a place for each rank, no more and no less, is better refused before
// anything is started.
std::string check_layout(const std::string& text, const Job& job);

// The whole of it: name and key, environment, applications, places, input, binding.
std::string describe_job(const Options& options, Job& job);

}  // namespace cow::launch
