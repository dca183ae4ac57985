// What sessions offer and refuse, beside a world that runs.
#include <algorithm>
#include <cstring>

#include "support/ranks.hpp"

namespace {

class Sessions : public testing::Test {
 protected:
  MPI_Session session = MPI_SESSION_NULL;

  void SetUp() override {
    ASSERT_MPI_OK(MPI_Session_init(MPI_INFO_NULL, MPI_ERRORS_RETURN, &session));
    MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  }
  void TearDown() override {
    EXPECT_MPI_OK(MPI_Session_finalize(&session));
    MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL);
  }

  MPI_Group group(const char* set) {
    MPI_Group out = MPI_GROUP_NULL;
    EXPECT_MPI_OK(MPI_Group_from_session_pset(session, set, &out));
    return out;
  }
};

std::string value_of(MPI_Info info, const char* key) {
  char text[MPI_MAX_INFO_VAL];
  int size = sizeof text, flag = 0;
  MPI_Info_get_string(info, key, &size, text, &flag);
  return flag ? text : "(none)";
}

TEST_F(Sessions, ProcessSets) {
  int sets = 0;
  ASSERT_MPI_OK(MPI_Session_get_num_psets(session, MPI_INFO_NULL, &sets));
  ASSERT_GE(sets, 2);
  std::vector<std::string> names;
  for (int i = 0; i < sets; ++i) {
    int length = 0;
    ASSERT_MPI_OK(MPI_Session_get_nth_pset(session, MPI_INFO_NULL, i, &length, nullptr));
    std::vector<char> name(static_cast<std::size_t>(length));
    const int whole = length;
    ASSERT_MPI_OK(MPI_Session_get_nth_pset(session, MPI_INFO_NULL, i, &length, name.data()));
    EXPECT_EQ(length, whole);
    names.emplace_back(name.data());
    EXPECT_EQ(names.back().size() + 1, name.size());
    char cut[4] = "???";
    length = 4;
    ASSERT_MPI_OK(MPI_Session_get_nth_pset(session, MPI_INFO_NULL, i, &length, cut));
    EXPECT_EQ(names.back().substr(0, 3), cut);
  }
  EXPECT_EQ(std::count(names.begin(), names.end(), "mpi://WORLD"), 1);
  EXPECT_EQ(std::count(names.begin(), names.end(), "mpi://SELF"), 1);
  for (const std::string& name : names) {
    MPI_Info info;
    ASSERT_MPI_OK(MPI_Session_get_pset_info(session, name.c_str(), &info));
    MPI_Group members = group(name.c_str());
    int size = -1;
    ASSERT_MPI_OK(MPI_Group_size(members, &size));
    EXPECT_EQ(value_of(info, "mpi_size"), std::to_string(size)) << name;
    ASSERT_MPI_OK(MPI_Group_free(&members));
    ASSERT_MPI_OK(MPI_Info_free(&info));
  }
}

TEST_F(Sessions, NamesOfSetsInAnyCase) {
  for (const auto& [written, name] : {std::pair{"mpi://world", "mpi://WORLD"},
                                      {"MPI://World", "mpi://WORLD"},
                                      {"mpi://self", "mpi://SELF"},
                                      {"Mpi://Self", "mpi://SELF"}}) {
    MPI_Group one = group(written), other = group(name);
    ASSERT_NE(one, MPI_GROUP_NULL) << written;
    int result = -1, flag = 0;
    ASSERT_MPI_OK(MPI_Group_compare(one, other, &result));
    EXPECT_EQ(result, MPI_IDENT) << written;
    MPI_Info info;
    ASSERT_MPI_OK(MPI_Session_get_pset_info(session, written, &info));
    int length = 0;
    ASSERT_MPI_OK(MPI_Info_get_valuelen(info, "mpi_size", &length, &flag));
    EXPECT_TRUE(flag);
    ASSERT_MPI_OK(MPI_Info_free(&info));
    for (MPI_Group* each : {&one, &other}) ASSERT_MPI_OK(MPI_Group_free(each));
  }
  EXPECT_EQ(group("mpi://worlds"), MPI_GROUP_NULL);
}

TEST_F(Sessions, SetsThatDoNotExist) {
  EXPECT_EQ(group("mpi://nowhere"), MPI_GROUP_NULL);
  MPI_Info info;
  EXPECT_MPI_ERROR(MPI_Session_get_pset_info(session, "nowhere", &info), MPI_ERR_ARG);
  int length = 0;
  EXPECT_MPI_ERROR(MPI_Session_get_nth_pset(session, MPI_INFO_NULL, -1, &length, nullptr), MPI_ERR_ARG);
  EXPECT_MPI_ERROR(MPI_Session_get_nth_pset(session, MPI_INFO_NULL, 1000, &length, nullptr), MPI_ERR_ARG);
  length = -1;
  EXPECT_MPI_ERROR(MPI_Session_get_nth_pset(session, MPI_INFO_NULL, 0, &length, nullptr), MPI_ERR_ARG);
}

TEST_F(Sessions, LevelsOfThreadSupport) {
  for (const char* level : {"MPI_THREAD_SINGLE", "MPI_THREAD_SERIALIZED", "MPI_THREAD_MULTIPLE"}) {
    MPI_Info info;
    ASSERT_MPI_OK(MPI_Info_create(&info));
    ASSERT_MPI_OK(MPI_Info_set(info, "thread_level", level));
    MPI_Session one;
    ASSERT_MPI_OK(MPI_Session_init(info, MPI_ERRORS_RETURN, &one));
    MPI_Info used;
    ASSERT_MPI_OK(MPI_Session_get_info(one, &used));
    EXPECT_EQ(value_of(used, "thread_level"), level);
    EXPECT_EQ(value_of(used, "mpi_memory_alloc_kinds"), "mpi,system");
    ASSERT_MPI_OK(MPI_Info_free(&used));
    ASSERT_MPI_OK(MPI_Session_finalize(&one));
    ASSERT_MPI_OK(MPI_Info_set(info, "thread_level", "MPI_THREAD_PERHAPS"));
    EXPECT_MPI_ERROR(MPI_Session_init(info, MPI_ERRORS_RETURN, &one), MPI_ERR_INFO_VALUE);
    ASSERT_MPI_OK(MPI_Info_free(&info));
  }
}

TEST_F(Sessions, FreedAndNullHandles) {
  MPI_Session gone;
  ASSERT_MPI_OK(MPI_Session_init(MPI_INFO_NULL, MPI_ERRORS_RETURN, &gone));
  MPI_Session kept = gone;
  ASSERT_MPI_OK(MPI_Session_finalize(&gone));
  EXPECT_EQ(gone, MPI_SESSION_NULL);
  int sets;
  MPI_Info info;
  MPI_Group none;
  MPI_Errhandler handler;
  for (MPI_Session bad : {kept, MPI_Session(MPI_SESSION_NULL)}) {
    EXPECT_MPI_ERROR(MPI_Session_get_num_psets(bad, MPI_INFO_NULL, &sets), MPI_ERR_SESSION);
    EXPECT_MPI_ERROR(MPI_Session_get_info(bad, &info), MPI_ERR_SESSION);
    EXPECT_MPI_ERROR(MPI_Group_from_session_pset(bad, "mpi://SELF", &none), MPI_ERR_SESSION);
    EXPECT_MPI_ERROR(MPI_Session_get_errhandler(bad, &handler), MPI_ERR_SESSION);
    EXPECT_MPI_ERROR(MPI_Session_flush_buffer(bad), MPI_ERR_SESSION);
    EXPECT_MPI_ERROR(MPI_Session_finalize(&bad), MPI_ERR_SESSION);
  }
}

int heard = 0;
MPI_Session heard_of = MPI_SESSION_NULL;
void listen(MPI_Session* session, int* code, ...) {
  heard = ranks::error_class(*code);
  heard_of = *session;
}
void listen_comm(MPI_Comm*, int* code, ...) { heard = ranks::error_class(*code); }

TEST_F(Sessions, ErrorHandlers) {
  MPI_Errhandler own, of_comms;
  ASSERT_MPI_OK(MPI_Session_create_errhandler(listen, &own));
  ASSERT_MPI_OK(MPI_Comm_create_errhandler(listen_comm, &of_comms));
  ASSERT_MPI_OK(MPI_Session_set_errhandler(session, own));
  MPI_Errhandler got;
  ASSERT_MPI_OK(MPI_Session_get_errhandler(session, &got));
  EXPECT_EQ(got, own);
  ASSERT_MPI_OK(MPI_Errhandler_free(&got));
  heard = 0;
  MPI_Info info;
  EXPECT_NE(MPI_Session_get_pset_info(session, "nowhere", &info), MPI_SUCCESS);
  EXPECT_EQ(heard, MPI_ERR_ARG);
  EXPECT_EQ(heard_of, session);
  heard = 0;
  ASSERT_MPI_OK(MPI_Session_call_errhandler(session, MPI_ERR_OTHER));
  EXPECT_EQ(heard, MPI_ERR_OTHER);
  // A handler that was made for communicators.
  heard = 0;
  EXPECT_MPI_ERROR(MPI_Session_set_errhandler(session, of_comms), MPI_ERR_ERRHANDLER);
  EXPECT_EQ(heard, MPI_ERR_ERRHANDLER);
  ASSERT_MPI_OK(MPI_Session_set_errhandler(session, MPI_ERRORS_RETURN));
  ASSERT_MPI_OK(MPI_Errhandler_free(&own));
  // What is to be made has a handler already: it hears when it cannot be made.
  MPI_Group members = group("mpi://SELF"), others;
  ASSERT_MPI_OK(MPI_Group_difference(members, members, &others));
  heard = 0;
  const std::string long_tag(MPI_MAX_STRINGTAG_LEN, 'x');
  MPI_Comm comm;
  EXPECT_MPI_ERROR(MPI_Comm_create_from_group(members, long_tag.c_str(), MPI_INFO_NULL, of_comms, &comm), MPI_ERR_ARG);
  EXPECT_EQ(heard, MPI_ERR_ARG);
  ASSERT_MPI_OK(MPI_Errhandler_free(&of_comms));
  ASSERT_MPI_OK(MPI_Group_free(&members));
}

MPI_Comm heard_of_comm = MPI_COMM_WORLD;
void listen_new_comm(MPI_Comm* comm, int* code, ...) {
  heard = ranks::error_class(*code);
  heard_of_comm = *comm;
}

// Errors of the arguments of a call that names an error handler for what it makes are that handler's.
TEST_F(Sessions, HandlersOfWhatIsToBeMade) {
  MPI_Errhandler of_comms, of_sessions;
  ASSERT_MPI_OK(MPI_Comm_create_errhandler(listen_new_comm, &of_comms));
  ASSERT_MPI_OK(MPI_Session_create_errhandler(listen, &of_sessions));
  MPI_Group members = group("mpi://SELF");
  MPI_Comm comm;
  MPI_Session other;
  const auto expect_heard = [&](int error_class) {
    EXPECT_EQ(heard, error_class);
    heard = 0;
  };
  heard = 0;
  EXPECT_MPI_ERROR(MPI_Comm_create_from_group(MPI_GROUP_NULL, "x", MPI_INFO_NULL, of_comms, &comm), MPI_ERR_GROUP);
  expect_heard(MPI_ERR_GROUP);
  EXPECT_EQ(heard_of_comm, MPI_COMM_NULL);
  EXPECT_MPI_ERROR(MPI_Comm_create_from_group(members, "x", MPI_INFO_NULL, of_comms, nullptr), MPI_ERR_ARG);
  expect_heard(MPI_ERR_ARG);
  EXPECT_MPI_ERROR(MPI_Intercomm_create_from_groups(MPI_GROUP_NULL, 0, members, 0, "x", MPI_INFO_NULL, of_comms, &comm),
                   MPI_ERR_GROUP);
  expect_heard(MPI_ERR_GROUP);
  EXPECT_MPI_ERROR(MPI_Intercomm_create_from_groups(members, 0, members, 0, nullptr, MPI_INFO_NULL, of_comms, &comm),
                   MPI_ERR_ARG);
  expect_heard(MPI_ERR_ARG);
  heard_of = session;
  EXPECT_MPI_ERROR(MPI_Session_init(reinterpret_cast<MPI_Info>(MPI_COMM_WORLD), of_sessions, &other), MPI_ERR_INFO);
  expect_heard(MPI_ERR_INFO);
  EXPECT_EQ(heard_of, MPI_SESSION_NULL);
  EXPECT_MPI_ERROR(MPI_Session_init(MPI_INFO_NULL, of_sessions, nullptr), MPI_ERR_ARG);
  expect_heard(MPI_ERR_ARG);
  // One that was made for other objects is not called with what it does not know.
  EXPECT_MPI_ERROR(MPI_Comm_create_from_group(members, "x", MPI_INFO_NULL, of_sessions, &comm), MPI_ERR_ERRHANDLER);
  EXPECT_MPI_ERROR(MPI_Session_init(MPI_INFO_NULL, of_comms, &other), MPI_ERR_ERRHANDLER);
  expect_heard(0);
  for (MPI_Errhandler* each : {&of_comms, &of_sessions}) ASSERT_MPI_OK(MPI_Errhandler_free(each));
  ASSERT_MPI_OK(MPI_Group_free(&members));
}

TEST_F(Sessions, CommunicatorsOfGroups) {
  const int me = ranks::rank(), n = ranks::count();
  MPI_Group world = group("mpi://WORLD");
  // Groups that overlap like scales: each rank is in two, created in another order at each.
  for (int turn = 0; turn < 2; ++turn) {
    const int first = (me + n - turn) % n;
    const int members[2] = {first, (first + 1) % n};
    MPI_Group pair;
    ASSERT_MPI_OK(MPI_Group_incl(world, n == 1 ? 1 : 2, members, &pair));
    MPI_Comm comm;
    // Rank 0 begins with its second group, lest all wait in a circle.
    if (n > 1 && me == 0) {
      const int mine[2] = {turn == 0 ? n - 1 : 0, turn == 0 ? 0 : 1};
      ASSERT_MPI_OK(MPI_Group_free(&pair));
      ASSERT_MPI_OK(MPI_Group_incl(world, 2, mine, &pair));
    }
    ASSERT_MPI_OK(MPI_Comm_create_from_group(pair, "scales", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm));
    int size, sum = 0;
    const int one = 1;
    ASSERT_MPI_OK(MPI_Comm_size(comm, &size));
    EXPECT_EQ(size, n == 1 ? 1 : 2);
    ASSERT_MPI_OK(MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, comm));
    EXPECT_EQ(sum, size);
    ASSERT_MPI_OK(MPI_Comm_free(&comm));
    ASSERT_MPI_OK(MPI_Group_free(&pair));
  }
  ASSERT_MPI_OK(MPI_Group_free(&world));
}

TEST_F(Sessions, NobodyAndOthers) {
  MPI_Comm comm = MPI_COMM_SELF;
  ASSERT_MPI_OK(MPI_Comm_create_from_group(MPI_GROUP_EMPTY, "x", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm));
  EXPECT_EQ(comm, MPI_COMM_NULL);
  EXPECT_MPI_ERROR(MPI_Comm_create_from_group(MPI_GROUP_NULL, "x", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm),
                   MPI_ERR_GROUP);
  EXPECT_MPI_ERROR(MPI_Comm_create_from_group(MPI_GROUP_EMPTY, nullptr, MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm),
                   MPI_ERR_ARG);
  NEED_RANKS(2);
  MPI_Group world = group("mpi://WORLD"), other;
  const int next = (ranks::rank() + 1) % ranks::count();
  ASSERT_MPI_OK(MPI_Group_incl(world, 1, &next, &other));
  EXPECT_MPI_ERROR(MPI_Comm_create_from_group(other, "x", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm), MPI_ERR_GROUP);
  ASSERT_MPI_OK(MPI_Group_free(&other));
  ASSERT_MPI_OK(MPI_Group_free(&world));
}

TEST_F(Sessions, Intercommunicators) {
  const int me = ranks::rank(), n = ranks::count();
  NEED_RANKS(2);
  MPI_Group world = group("mpi://WORLD"), mine, theirs;
  const int half = n / 2;
  int low[1][3] = {{0, half - 1, 1}}, high[1][3] = {{half, n - 1, 1}};
  const bool is_low = me < half;
  ASSERT_MPI_OK(MPI_Group_range_incl(world, 1, is_low ? low : high, &mine));
  ASSERT_MPI_OK(MPI_Group_range_incl(world, 1, is_low ? high : low, &theirs));
  int my_size, their_size;
  MPI_Group_size(mine, &my_size);
  MPI_Group_size(theirs, &their_size);
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Intercomm_create_from_groups(mine, my_size - 1, theirs, their_size - 1, "halves", MPI_INFO_NULL,
                                                 MPI_ERRORS_RETURN, &comm));
  int remote = -1, in = -1;
  ASSERT_MPI_OK(MPI_Comm_remote_size(comm, &remote));
  EXPECT_EQ(remote, their_size);
  const int root = is_low ? (me == 0 ? int{MPI_ROOT} : int{MPI_PROC_NULL}) : 0;
  in = me == 0 ? 42 : -1;
  ASSERT_MPI_OK(MPI_Bcast(&in, 1, MPI_INT, root, comm));
  if (!is_low) {
    EXPECT_EQ(in, 42);
  }
  MPI_Comm all;
  ASSERT_MPI_OK(MPI_Intercomm_merge(comm, !is_low, &all));
  EXPECT_EQ(ranks::count(all), n);
  EXPECT_EQ(ranks::rank(all), me);
  ASSERT_MPI_OK(MPI_Comm_free(&all));
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
  EXPECT_MPI_ERROR(
      MPI_Intercomm_create_from_groups(mine, my_size, theirs, 0, "x", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm),
      MPI_ERR_RANK);
  EXPECT_MPI_ERROR(MPI_Intercomm_create_from_groups(mine, 0, mine, 0, "x", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm),
                   MPI_ERR_GROUP);
  EXPECT_MPI_ERROR(MPI_Intercomm_create_from_groups(mine, 0, theirs, -1, "x", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm),
                   MPI_ERR_RANK);
  for (MPI_Group* one : {&world, &mine, &theirs}) ASSERT_MPI_OK(MPI_Group_free(one));
}

// With nobody on one side there is nobody to talk to: each rank gets the null communicator by itself.
TEST_F(Sessions, IntercommunicatorsWithNobody) {
  MPI_Group world = group("mpi://WORLD");
  const std::pair<MPI_Group, MPI_Group> sides[] = {
      {MPI_GROUP_EMPTY, world}, {world, MPI_GROUP_EMPTY}, {MPI_GROUP_EMPTY, MPI_GROUP_EMPTY}};
  for (const auto& [local, remote] : sides) {
    MPI_Comm comm = MPI_COMM_WORLD;
    EXPECT_MPI_OK(MPI_Intercomm_create_from_groups(local, 0, remote, 0, "x", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm));
    EXPECT_EQ(comm, MPI_COMM_NULL);
  }
  ASSERT_MPI_OK(MPI_Group_free(&world));
}

TEST_F(Sessions, BuffersOfASession) {
  MPI_Group self = group("mpi://SELF");
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Comm_create_from_group(self, "buffer", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm));
  ASSERT_MPI_OK(MPI_Group_free(&self));
  const int out = 5;
  EXPECT_MPI_ERROR(MPI_Bsend(&out, 1, MPI_INT, 0, 1, comm), MPI_ERR_BUFFER);
  std::vector<char> memory(sizeof out + MPI_BSEND_OVERHEAD);
  const int size = static_cast<int>(memory.size());
  ASSERT_MPI_OK(MPI_Session_attach_buffer(session, memory.data(), size));
  EXPECT_MPI_ERROR(MPI_Session_attach_buffer(session, memory.data(), size), MPI_ERR_BUFFER);
  ASSERT_MPI_OK(MPI_Bsend(&out, 1, MPI_INT, 0, 1, comm));
  int in = -1;
  ASSERT_MPI_OK(MPI_Recv(&in, 1, MPI_INT, 0, 1, comm, MPI_STATUS_IGNORE));
  EXPECT_EQ(in, 5);
  ASSERT_MPI_OK(MPI_Session_flush_buffer(session));
  MPI_Request request;
  ASSERT_MPI_OK(MPI_Session_iflush_buffer(session, &request));
  ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  void* back = nullptr;
  int back_size = -1;
  ASSERT_MPI_OK(MPI_Session_detach_buffer(session, &back, &back_size));
  EXPECT_EQ(back, memory.data());
  EXPECT_EQ(back_size, size);
  EXPECT_MPI_ERROR(MPI_Session_detach_buffer(session, &back, &back_size), MPI_ERR_BUFFER);
  EXPECT_MPI_ERROR(MPI_Session_attach_buffer(session, memory.data(), -1), MPI_ERR_COUNT);
  MPI_Count large = -1;
  ASSERT_MPI_OK(MPI_Session_attach_buffer_c(session, memory.data(), size));
  ASSERT_MPI_OK(MPI_Session_detach_buffer_c(session, &back, &large));
  EXPECT_EQ(back, memory.data());
  EXPECT_EQ(large, size);
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

}  // namespace
