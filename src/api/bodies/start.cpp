// Questions about the start and the end, and about threads.
#include "api/start.hpp"

#include "api/bodies.hpp"

namespace cow {

Error body::Initialized(int* flag) {
  *flag = api::world_was_started();
  return success;
}

Error body::Finalized(int* flag) {
  *flag = api::world_was_ended();
  return success;
}

Error body::Query_thread(int* provided) {
  *provided = api::thread_level();
  return success;
}

Error body::Is_thread_main(int* flag) {
  *flag = api::is_main_thread();
  return success;
}

}  // namespace cow
