// The tool information interface, as far as it stands: it can be started and ended, and tells how many variables, categories,
// events and sources of events there are, which is none. So no index names one, and no name either. Whatever needs one that
// exists has no body yet.
#include "api/bodies.hpp"

namespace cow {
namespace {

int starts = 0;  // not yet ended; under the lock

Error check_started() {
  if (starts > 0) return success;
  return fail(MPI_T_ERR_NOT_INITIALIZED, "called before MPI_T_init_thread, or after the last MPI_T_finalize");
}

Error check_output(const void* pointer, const char* name) {
  return pointer ? success : fail(MPI_T_ERR_INVALID, "%s is a null pointer", name);
}

// How many there are of something.
Error tell_none(int* number, const char* name) {
  if (Error error = check_started()) return error;
  if (Error error = check_output(number, name)) return error;
  *number = 0;
  return success;
}

Error no_such(const char* what, int index) {
  if (Error error = check_started()) return error;
  return fail(MPI_T_ERR_INVALID_INDEX, "%s %d does not exist: there is none yet", what, index);
}

Error nothing_called(const char* what, const char* name) {
  if (Error error = check_started()) return error;
  if (Error error = check_output(name, "name")) return error;
  return fail(MPI_T_ERR_INVALID_NAME, "no %s is called \"%s\": there is none yet", what, name);
}

constexpr const char* cvar = "control variable";
constexpr const char* pvar = "performance variable";
constexpr const char* category = "category";
constexpr const char* event = "event type";
constexpr const char* source = "source of events";

}  // namespace

Error body::T_init_thread(int required, int* provided) {
  if (Error error = check_output(provided, "provided")) return error;
  if (required < MPI_THREAD_SINGLE || required > MPI_THREAD_MULTIPLE)
    return fail(MPI_T_ERR_INVALID, "required is %d, which is no level of thread support", required);
  ++starts;
  *provided = MPI_THREAD_MULTIPLE;  // every function here takes the lock, whatever MPI_Init_thread was asked for
  return success;
}

Error body::T_finalize() {
  if (Error error = check_started()) return error;
  --starts;
  return success;
}

// ---- how many

Error body::T_cvar_get_num(int* num_cvar) { return tell_none(num_cvar, "num_cvar"); }
Error body::T_pvar_get_num(int* num_pvar) { return tell_none(num_pvar, "num_pvar"); }
Error body::T_category_get_num(int* num_cat) { return tell_none(num_cat, "num_cat"); }
Error body::T_event_get_num(int* num_events) { return tell_none(num_events, "num_events"); }
Error body::T_source_get_num(int* num_sources) { return tell_none(num_sources, "num_sources"); }

// How often categories have changed.
Error body::T_category_changed(int* update_number) { return tell_none(update_number, "update_number"); }

// ---- by index

Error body::T_cvar_get_info(int cvar_index, char*, int*, int*, MPI_Datatype*, MPI_T_enum*, char*, int*, int*, int*) {
  return no_such(cvar, cvar_index);
}

Error body::T_cvar_handle_alloc(int cvar_index, void*, MPI_T_cvar_handle*, int*) { return no_such(cvar, cvar_index); }

Error body::T_pvar_get_info(int pvar_index, char*, int*, int*, int*, MPI_Datatype*, MPI_T_enum*, char*, int*, int*,
                            int*, int*, int*) {
  return no_such(pvar, pvar_index);
}

Error body::T_pvar_handle_alloc(MPI_T_pvar_session, int pvar_index, void*, MPI_T_pvar_handle*, int*) {
  return no_such(pvar, pvar_index);
}

Error body::T_category_get_info(int cat_index, char*, int*, char*, int*, int*, int*, int*) {
  return no_such(category, cat_index);
}

Error body::T_category_get_num_events(int cat_index, int*) { return no_such(category, cat_index); }
Error body::T_category_get_cvars(int cat_index, int, int*) { return no_such(category, cat_index); }
Error body::T_category_get_pvars(int cat_index, int, int*) { return no_such(category, cat_index); }
Error body::T_category_get_categories(int cat_index, int, int*) { return no_such(category, cat_index); }
Error body::T_category_get_events(int cat_index, int, int*) { return no_such(category, cat_index); }

Error body::T_event_get_info(int event_index, char*, int*, int*, MPI_Datatype*, MPI_Aint*, int*, MPI_T_enum*, MPI_Info*,
                             char*, int*, int*) {
  return no_such(event, event_index);
}

Error body::T_event_handle_alloc(int event_index, void*, Info*, MPI_T_event_registration*) {
  return no_such(event, event_index);
}

Error body::T_source_get_info(int source_index, char*, int*, char*, int*, MPI_T_source_order*, MPI_Count*, MPI_Count*,
                              MPI_Info*) {
  return no_such(source, source_index);
}

Error body::T_source_get_timestamp(int source_index, MPI_Count*) { return no_such(source, source_index); }

// ---- by name

Error body::T_cvar_get_index(const char* name, int*) { return nothing_called(cvar, name); }
Error body::T_pvar_get_index(const char* name, int, int*) { return nothing_called(pvar, name); }
Error body::T_category_get_index(const char* name, int*) { return nothing_called(category, name); }
Error body::T_event_get_index(const char* name, int*) { return nothing_called(event, name); }

}  // namespace cow
