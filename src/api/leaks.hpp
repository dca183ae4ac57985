// What a program has not given back by MPI_Finalize, and which messages nobody received.
#pragma once

namespace cow::api {

// With COW_LEAKS, and in debug builds: begins to note who makes objects.
void watch_leaks();

// Prints what is left, one line for each kind of object and place that made it, on standard error. Nothing is left:
// nothing is printed.
void report_leaks();

}  // namespace cow::api
