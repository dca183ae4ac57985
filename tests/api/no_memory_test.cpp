// The n-th allocation of the library fails, for every n: the call answers MPI_ERR_NO_MEM or does without, nothing is lost,
// and the same call works afterwards.
#include <gtest/gtest.h>
#include <mpix.h>

#include <functional>
#include <vector>

namespace {
long until_failure = -1;  // allocations that still succeed; -1: all do
bool has_failed = false;
long pieces = 0;  // that the library has
}  // namespace

extern "C" [[gnu::visibility("default")]] bool cow_allocation(int change) {
  if (change > 0 && until_failure >= 0 && until_failure-- == 0) {
    has_failed = true;
    return false;
  }
  pieces += change;
  return true;
}

namespace {

int class_of(int code) {
  int error_class;
  MPI_Error_class(code, &error_class);
  return error_class;
}

struct Call {
  const char* name;
  std::function<int()> make;
  std::function<void()> undo;
};

int without_allocation(long n, const Call& call) {
  has_failed = false;
  until_failure = n;
  const int code = call.make();
  until_failure = -1;
  if (code == MPI_SUCCESS) call.undo();
  return code;
}

// What is kept for later, such as room in a table, is made in the first rounds; what the last ones add is lost.
void fail_at_each(const Call& call) {
  SCOPED_TRACE(call.name);
  ASSERT_EQ(without_allocation(-1, call), MPI_SUCCESS);
  constexpr long most = 1000;
  for (long n = 0; n < most; ++n) {
    SCOPED_TRACE("allocation " + std::to_string(n));
    long before = 0;
    for (int round = 0; round < 4; ++round) {
      if (round == 2) before = pieces;
      const int code = without_allocation(n, call);
      if (!has_failed) {
        EXPECT_EQ(code, MPI_SUCCESS);
        if (round == 0) return;
      }
      if (code != MPI_SUCCESS) {
        EXPECT_EQ(class_of(code), MPI_ERR_NO_MEM);
      }
      ASSERT_EQ(without_allocation(-1, call), MPI_SUCCESS);
    }
    EXPECT_EQ(pieces, before) << "pieces of memory";
  }
  FAIL() << "more than " << most << " allocations";
}

class NoMemory : public testing::Test {
 protected:
  MPI_Comm world = MPI_COMM_WORLD;
  MPI_Comm comm = MPI_COMM_NULL;
  MPI_Datatype type = MPI_DATATYPE_NULL;
  MPI_Group group = MPI_GROUP_NULL, part = MPI_GROUP_NULL;
  MPI_Request request = MPI_REQUEST_NULL, other = MPI_REQUEST_NULL;
  MPI_Info info = MPI_INFO_NULL;
  int in[1000] = {}, out[1000] = {}, key = 0;

  void SetUp() override { MPI_Comm_group(world, &group); }
  void TearDown() override { MPI_Group_free(&group); }

  std::function<void()> free_type = [this] { MPI_Type_free(&type); };
  std::function<void()> free_comm = [this] { MPI_Comm_free(&comm); };
  std::function<void()> wait = [this] { MPI_Wait(&request, MPI_STATUS_IGNORE); };
  std::function<void()> free_request = [this] { MPI_Request_free(&request); };
};

extern "C" void sum_up(void* in, void* inout, int* n, MPI_Datatype*) {
  for (int i = 0; i < *n; ++i) static_cast<int*>(inout)[i] += static_cast<int*>(in)[i];
}
extern "C" void no_handler(MPI_Comm*, int*, ...) {}

TEST_F(NoMemory, Datatypes) {
  const int lengths[] = {1, 2, 3}, places[] = {0, 5, 9}, sizes[] = {4, 5}, parts[] = {2, 3}, starts[] = {1, 1};
  const MPI_Aint bytes[] = {0, 8, 64};
  const MPI_Datatype types[] = {MPI_INT, MPI_DOUBLE, MPI_CHAR};
  const auto commit = [&] { return MPI_Type_commit(&type); };
  fail_at_each({"contiguous", [&] { return MPI_Type_contiguous(3, MPI_INT, &type); }, free_type});
  fail_at_each({"vector", [&] { return MPI_Type_vector(3, 2, 5, MPI_INT, &type); }, free_type});
  fail_at_each({"indexed", [&] { return MPI_Type_indexed(3, lengths, places, MPI_INT, &type); }, free_type});
  fail_at_each({"struct", [&] { return MPI_Type_create_struct(3, lengths, bytes, types, &type); }, free_type});
  fail_at_each({"subarray",
                [&] { return MPI_Type_create_subarray(2, sizes, parts, starts, MPI_ORDER_C, MPI_INT, &type); },
                free_type});
  fail_at_each({"resized", [&] { return MPI_Type_create_resized(MPI_INT, 0, 16, &type); }, free_type});
  fail_at_each({"dup", [&] { return MPI_Type_dup(MPI_INT, &type); }, free_type});
  MPI_Type_create_struct(3, lengths, bytes, types, &type);
  fail_at_each({"commit", commit, [] {}});
  fail_at_each(
      {"name", [&] { return MPI_Type_set_name(type, "a name that is too long for a string without memory"); }, [] {}});
  free_type();
}

TEST_F(NoMemory, Groups) {
  const auto free_part = [this] { MPI_Group_free(&part); };
  const int ranks[] = {0};
  int ranges[1][3] = {{0, 0, 1}};
  fail_at_each({"of a communicator", [&] { return MPI_Comm_group(world, &part); }, free_part});
  fail_at_each({"incl", [&] { return MPI_Group_incl(group, 1, ranks, &part); }, free_part});
  fail_at_each({"range", [&] { return MPI_Group_range_incl(group, 1, ranges, &part); }, free_part});
  fail_at_each({"union", [&] { return MPI_Group_union(group, group, &part); }, free_part});
}

TEST_F(NoMemory, Communicators) {
  const int dims[] = {1}, periods[] = {1};
  fail_at_each({"dup", [&] { return MPI_Comm_dup(world, &comm); }, free_comm});
  fail_at_each({"split", [&] { return MPI_Comm_split(world, 0, 0, &comm); }, free_comm});
  fail_at_each({"create", [&] { return MPI_Comm_create(world, group, &comm); }, free_comm});
  fail_at_each({"create_group", [&] { return MPI_Comm_create_group(world, group, 3, &comm); }, free_comm});
  fail_at_each({"cart", [&] { return MPI_Cart_create(world, 1, dims, periods, 0, &comm); }, free_comm});
  const int index[] = {1}, edge[] = {0}, degree[] = {1};
  fail_at_each({"graph", [&] { return MPI_Graph_create(world, 1, index, edge, 0, &comm); }, free_comm});
  fail_at_each(
      {"dist_graph",
       [&] { return MPI_Dist_graph_create(world, 1, edge, degree, edge, MPI_UNWEIGHTED, MPI_INFO_NULL, 0, &comm); },
       free_comm});
  MPI_Comm cart;
  MPI_Cart_create(world, 1, dims, periods, 0, &cart);
  fail_at_each({"cart_sub", [&] { return MPI_Cart_sub(cart, dims, &comm); }, free_comm});
  fail_at_each({"dup of cart", [&] { return MPI_Comm_dup(cart, &comm); }, free_comm});
  MPI_Comm_free(&cart);
  fail_at_each({"idup", [&] { return MPI_Comm_idup(world, &comm, &request); }, [&] { wait(), free_comm(); }});
}

TEST_F(NoMemory, OperationsHandlersInfosAndAttributes) {
  MPI_Op op;
  MPI_Errhandler handler;
  fail_at_each({"op", [&] { return MPI_Op_create(sum_up, 1, &op); }, [&] { MPI_Op_free(&op); }});
  fail_at_each({"handler", [&] { return MPI_Comm_create_errhandler(no_handler, &handler); },
                [&] { MPI_Errhandler_free(&handler); }});
  const auto free_info = [this] { MPI_Info_free(&info); };
  fail_at_each({"info", [&] { return MPI_Info_create(&info); }, free_info});
  fail_at_each({"hints", [&] { return MPI_Comm_get_info(world, &info); }, free_info});
  MPI_Info_create(&info);
  fail_at_each({"set",
                [&] {
                  return MPI_Info_set(info, "a key that needs memory of its own",
                                      "and a value that does, too, as it is long");
                },
                [&] { MPI_Info_delete(info, "a key that needs memory of its own"); }});
  MPI_Info_set(info, "key", "value");
  MPI_Info second;
  fail_at_each({"info dup", [&] { return MPI_Info_dup(info, &second); }, [&] { MPI_Info_free(&second); }});
  free_info();
  const auto create_key = [&] {
    return MPI_Comm_create_keyval(MPI_COMM_DUP_FN, MPI_COMM_NULL_DELETE_FN, &key, nullptr);
  };
  fail_at_each({"keyval", create_key, [&] { MPI_Comm_free_keyval(&key); }});
  create_key();
  MPI_Comm_dup(world, &comm);
  fail_at_each(
      {"attribute", [&] { return MPI_Comm_set_attr(comm, key, &key); }, [&] { MPI_Comm_delete_attr(comm, key); }});
  MPI_Comm_set_attr(comm, key, &key);
  MPI_Comm copy;
  fail_at_each({"dup with attribute", [&] { return MPI_Comm_dup(comm, &copy); }, [&] { MPI_Comm_free(&copy); }});
  free_comm();
  MPI_Comm_free_keyval(&key);
}

TEST_F(NoMemory, ErrorClasses) {
  int code;
  fail_at_each({"class", [&] { return MPI_Add_error_class(&code); }, [&] { MPI_Remove_error_class(code); }});
  MPI_Add_error_class(&code);
  fail_at_each({"string",
                [&] { return MPI_Add_error_string(code, "a text that is too long for a string without memory"); },
                [&] { MPI_Remove_error_string(code); }});
  MPI_Remove_error_class(code);
}

TEST_F(NoMemory, Messages) {
  const auto receive = [&] { MPI_Recv(in, 1000, MPI_INT, 0, 1, world, MPI_STATUS_IGNORE); };
  const auto take_back = [&] {
    MPI_Cancel(&request);
    wait();
  };
  fail_at_each({"irecv", [&] { return MPI_Irecv(in, 1000, MPI_INT, 0, 1, world, &request); }, take_back});
  // What keeps a message from its receiver may be an error of the request.
  const auto begin = [&](auto send) {
    int flag;
    const int code = send(out, 10, MPI_INT, 0, 1, world, &request);
    return code == MPI_SUCCESS ? MPI_Test(&request, &flag, MPI_STATUS_IGNORE) : code;
  };
  fail_at_each({"isend, kept", [&] { return begin(MPI_Isend); }, [&] { receive(), wait(); }});
  fail_at_each({"issend", [&] { return begin(MPI_Issend); }, [&] { receive(), wait(); }});
  fail_at_each({"send, kept", [&] { return MPI_Send(out, 10, MPI_INT, 0, 1, world); }, receive});
  fail_at_each({"send_init", [&] { return MPI_Send_init(out, 10, MPI_INT, 0, 1, world, &request); }, free_request});
  fail_at_each({"sendrecv",
                [&] { return MPI_Sendrecv(out, 10, MPI_INT, 0, 2, in, 10, MPI_INT, 0, 2, world, MPI_STATUS_IGNORE); },
                [] {}});
  MPI_Buffer_attach(MPI_BUFFER_AUTOMATIC, 0);
  fail_at_each({"bsend", [&] { return MPI_Bsend(out, 10, MPI_INT, 0, 1, world); }, receive});
  void* buffer;
  int size;
  MPI_Buffer_detach(&buffer, &size);
}

TEST_F(NoMemory, Collectives) {
  fail_at_each({"allreduce", [&] { return MPI_Allreduce(out, in, 1000, MPI_INT, MPI_SUM, world); }, [] {}});
  fail_at_each({"alltoall", [&] { return MPI_Alltoall(out, 10, MPI_INT, in, 10, MPI_INT, world); }, [] {}});
  fail_at_each({"ibarrier", [&] { return MPI_Ibarrier(world, &request); }, wait});
  fail_at_each({"iallreduce", [&] { return MPI_Iallreduce(out, in, 1000, MPI_INT, MPI_SUM, world, &request); }, wait});
  fail_at_each({"bcast_init", [&] { return MPI_Bcast_init(out, 10, MPI_INT, 0, world, MPI_INFO_NULL, &request); },
                free_request});
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  MPI_Init(nullptr, nullptr);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  const int result = RUN_ALL_TESTS();
  MPI_Finalize();
  return result;
}
