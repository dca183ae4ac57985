/* The tool interface before MPI_Init, meanwhile, and after MPI_Finalize: it is counted how often it was started; there is
 * none of anything, so no index and no name is right, and null pointers for what is not wanted are no fault. */
#include <mpi.h>
#include <stdio.h>

static int wrong = 0;

static void expect(int got, int expected, const char* call) {
  if (got == expected) return;
  printf("%s: %d, expected %d\n", call, got, expected);
  ++wrong;
}
#define EXPECT(call, expected) expect(call, expected, #call)

static void count(void) {
  int n = -1;
#define NONE(call) n = -1, EXPECT(call, MPI_SUCCESS), expect(n, 0, #call)
  NONE(MPI_T_cvar_get_num(&n));
  NONE(MPI_T_pvar_get_num(&n));
  NONE(MPI_T_category_get_num(&n));
  NONE(MPI_T_event_get_num(&n));
  NONE(MPI_T_source_get_num(&n));
  NONE(MPI_T_category_changed(&n));
  EXPECT(MPI_T_cvar_get_num(NULL), MPI_T_ERR_INVALID);
}

static void ask_for_index(int i) {
  MPI_T_cvar_handle cvar;
  MPI_T_pvar_handle pvar;
  MPI_T_event_registration event;
  MPI_Count ticks;
  char name[64];
  int n, length = sizeof name;
#define NO_INDEX(call) EXPECT(call, MPI_T_ERR_INVALID_INDEX)
  NO_INDEX(MPI_T_cvar_get_info(i, name, &length, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
  NO_INDEX(MPI_T_pvar_get_info(i, name, &length, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
  NO_INDEX(MPI_T_category_get_info(i, name, &length, NULL, NULL, NULL, NULL, NULL));
  NO_INDEX(MPI_T_category_get_num_events(i, &n));
  NO_INDEX(MPI_T_category_get_cvars(i, 0, NULL));
  NO_INDEX(MPI_T_category_get_pvars(i, 0, NULL));
  NO_INDEX(MPI_T_category_get_categories(i, 0, NULL));
  NO_INDEX(MPI_T_category_get_events(i, 0, NULL));
  NO_INDEX(MPI_T_event_get_info(i, name, &length, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
  NO_INDEX(MPI_T_source_get_info(i, name, &length, NULL, NULL, NULL, NULL, NULL, NULL));
  NO_INDEX(MPI_T_source_get_timestamp(i, &ticks));
  NO_INDEX(MPI_T_cvar_handle_alloc(i, NULL, &cvar, &n));
  NO_INDEX(MPI_T_pvar_handle_alloc(MPI_T_PVAR_SESSION_NULL, i, NULL, &pvar, &n));
  NO_INDEX(MPI_T_event_handle_alloc(i, NULL, MPI_INFO_NULL, &event));
}

static void ask_for_name(void) {
  int n;
  EXPECT(MPI_T_cvar_get_index("eager_limit", &n), MPI_T_ERR_INVALID_NAME);
  EXPECT(MPI_T_pvar_get_index("messages", MPI_T_PVAR_CLASS_COUNTER, &n), MPI_T_ERR_INVALID_NAME);
  EXPECT(MPI_T_category_get_index("all", &n), MPI_T_ERR_INVALID_NAME);
  EXPECT(MPI_T_event_get_index("arrival", &n), MPI_T_ERR_INVALID_NAME);
}

static void start_and_end(void) {
  int provided = -1, n = -1;
  EXPECT(MPI_T_cvar_get_num(&n), MPI_T_ERR_NOT_INITIALIZED);
  EXPECT(MPI_T_cvar_get_info(0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), MPI_T_ERR_NOT_INITIALIZED);
  EXPECT(MPI_T_finalize(), MPI_T_ERR_NOT_INITIALIZED);
  EXPECT(MPI_T_init_thread(MPI_THREAD_SINGLE, NULL), MPI_T_ERR_INVALID);
  EXPECT(MPI_T_init_thread(-5, &provided), MPI_T_ERR_INVALID);
  EXPECT(MPI_T_init_thread(MPI_THREAD_SINGLE, &provided), MPI_SUCCESS);
  if (provided < MPI_THREAD_SINGLE) expect(provided, MPI_THREAD_SINGLE, "provided");
  EXPECT(MPI_T_init_thread(MPI_THREAD_MULTIPLE, &provided), MPI_SUCCESS);
  EXPECT(MPI_T_finalize(), MPI_SUCCESS);
  count();
  ask_for_index(0);
  ask_for_index(-1);
  ask_for_name();
  EXPECT(MPI_T_finalize(), MPI_SUCCESS);
  EXPECT(MPI_T_finalize(), MPI_T_ERR_NOT_INITIALIZED);
}

int main(int argc, char** argv) {
  start_and_end();
  MPI_Init(&argc, &argv);
  start_and_end();
  MPI_Finalize();
  start_and_end();
  return wrong != 0;
}
