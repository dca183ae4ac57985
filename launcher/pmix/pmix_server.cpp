#include "launcher/pmix/pmix_server.hpp"

#include <fcntl.h>
#include <pmix.h>
#include <pmix_server.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <iterator>
#include <map>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "launcher/pmix/loop_calls.hpp"
#include "launcher/pmix/pmix_job.hpp"

namespace cow::launch {

namespace {

class Server;

// PMIx's module has no room for a context. One server lives in a process; PMIx's thread uses it only to post.
Server* server = nullptr;

class Server : public PmixServer {
 public:
  Server(Loop& loop, PmixClientEvents& e) : events(e), loop_calls(loop) {
    COW_INVARIANT(server == nullptr);
    server = this;
  }
  ~Server() override { server = nullptr; }

  std::string start();
  std::string register_job(const Job& job) override;
  std::vector<std::string> rank_environment(std::uint32_t rank) override;
  void answer_fence(std::uint64_t fence, int status, std::string_view data) override;
  void answer_modex(std::uint64_t question, int status, std::string_view data) override;
  void ask_local(std::uint64_t question, std::uint32_t rank) override;
  void tell_local(int status, std::uint32_t source, std::string_view infos) override;
  void drain() override { loop_calls.drain(); }

  struct Waiting {
    pmix_modex_cbfunc_t answer;
    void* data;
  };

  PmixClientEvents& events;
  LoopCalls loop_calls;
  std::string name;  // the namespace
  std::uint64_t last_number = 0;
  std::map<std::uint64_t, Waiting> fences;
  std::map<std::uint64_t, Waiting> questions;
};

void answer(pmix_op_cbfunc_t function, void* data) {
  if (function) function(PMIX_SUCCESS, data);
}

pmix_status_t client_connected(const pmix_proc_t* proc, void*, pmix_info_t[], size_t, pmix_op_cbfunc_t function,
                               void* data) {
  server->loop_calls.post([rank = proc->rank, function, data] {
    server->events.on_connected(rank);
    answer(function, data);
  });
  return PMIX_SUCCESS;
}

pmix_status_t client_finalized(const pmix_proc_t* proc, void*, pmix_op_cbfunc_t function, void* data) {
  server->loop_calls.post([rank = proc->rank, function, data] {
    server->events.on_finalized(rank);
    answer(function, data);
  });
  return PMIX_SUCCESS;
}

pmix_status_t abort_job(const pmix_proc_t* proc, void*, int status, const char message[], pmix_proc_t[], size_t,
                        pmix_op_cbfunc_t function, void* data) {
  server->loop_calls.post([rank = proc->rank, status, text = std::string(message ? message : ""), function, data] {
    server->events.on_abort(rank, status, text);
    answer(function, data);
  });
  return PMIX_SUCCESS;
}

// The limit that the rank gave with its request; 0: none.
milliseconds limit_of(const pmix_info_t info[], size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (PMIX_CHECK_KEY(&info[i], PMIX_TIMEOUT) && info[i].value.type == PMIX_INT && info[i].value.data.integer > 0) {
      return std::chrono::seconds(info[i].value.data.integer);
    }
  }
  return 0ms;
}

pmix_status_t fence(const pmix_proc_t procs[], size_t count, const pmix_info_t info[], size_t infos, char* bytes,
                    size_t size, pmix_modex_cbfunc_t function, void* data) {
  std::vector<std::uint32_t> ranks;
  for (size_t i = 0; i < count; ++i) {
    if (procs[i].rank == PMIX_RANK_WILDCARD) {
      ranks.clear();
      break;
    }
    ranks.push_back(procs[i].rank);
  }
  server->loop_calls.post([ranks = std::move(ranks), limit = limit_of(info, infos),
                           blob = bytes ? std::string(bytes, size) : std::string(), function, data] {
    const std::uint64_t number = ++server->last_number;
    server->fences[number] = {function, data};
    server->events.on_fence(number, ranks, limit, blob);
  });
  return PMIX_SUCCESS;
}

pmix_status_t direct_modex(const pmix_proc_t* proc, const pmix_info_t info[], size_t infos,
                           pmix_modex_cbfunc_t function, void* data) {
  server->loop_calls.post([rank = proc->rank, limit = limit_of(info, infos), function, data] {
    const std::uint64_t number = ++server->last_number;
    server->questions[number] = {function, data};
    server->events.on_modex_request(number, rank, limit);
  });
  return PMIX_SUCCESS;
}

pmix_status_t register_events(pmix_status_t*, size_t, const pmix_info_t[], size_t, pmix_op_cbfunc_t, void*) {
  return PMIX_OPERATION_SUCCEEDED;
}

pmix_status_t deregister_events(pmix_status_t*, size_t, pmix_op_cbfunc_t, void*) { return PMIX_OPERATION_SUCCEEDED; }

std::string pack(const pmix_info_t info[], size_t count) {
  pmix_data_buffer_t buffer;
  PMIX_DATA_BUFFER_CONSTRUCT(&buffer);
  std::string out;
  auto number = static_cast<std::uint64_t>(count);
  if (PMIx_Data_pack(nullptr, &buffer, &number, 1, PMIX_UINT64) == PMIX_SUCCESS &&
      (count == 0 || PMIx_Data_pack(nullptr, &buffer, const_cast<pmix_info_t*>(info), static_cast<int32_t>(count),
                                    PMIX_INFO) == PMIX_SUCCESS)) {
    out.assign(buffer.base_ptr, buffer.bytes_used);
  }
  PMIX_DATA_BUFFER_DESTRUCT(&buffer);
  return out;
}

pmix_status_t notify_event(pmix_status_t code, const pmix_proc_t* source, pmix_data_range_t, pmix_info_t info[],
                           size_t count, pmix_op_cbfunc_t function, void* data) {
  // Packed here: `info` is PMIx's and may go when this returns. The rank's own server has told its own ranks.
  server->loop_calls.post(
      [code, rank = source ? source->rank : PMIX_RANK_UNDEF, blob = pack(info, count), function, data] {
        server->events.on_event(code, rank, blob);
        answer(function, data);
      });
  return PMIX_SUCCESS;
}

void complete(std::map<std::uint64_t, Server::Waiting>& waiting, std::uint64_t number, int status,
              std::string_view data) {
  const auto found = waiting.find(number);
  if (found == waiting.end()) return;
  const Server::Waiting request = found->second;
  waiting.erase(found);
  char* copy = nullptr;
  if (!data.empty()) {
    copy = static_cast<char*>(malloc(data.size()));
    if (copy) memcpy(copy, data.data(), data.size());
    if (!copy) status = PMIX_ERR_NOMEM;
  }
  request.answer(status, copy, copy ? data.size() : 0, request.data, free, copy);
}

struct Question {
  std::uint64_t number;
};

void local_answer(pmix_status_t status, char* data, size_t size, void* context) {
  const std::unique_ptr<Question> question(static_cast<Question*>(context));
  server->loop_calls.post([number = question->number, status, blob = data ? std::string(data, size) : std::string()] {
    server->events.on_modex_answer(number, status, blob);
  });
}

std::string failed(const char* what, pmix_status_t status) {
  return std::string("PMIx: ") + what + ": " + PMIx_Error_string(status);
}

std::string Server::start() {
  static pmix_server_module_t module{};
  module.client_connected2 = client_connected;
  module.client_finalized = client_finalized;
  module.abort = abort_job;
  module.fence_nb = fence;
  module.direct_modex = direct_modex;
  module.register_events = register_events;
  module.deregister_events = deregister_events;
  module.notify_event = notify_event;

  // hash keeps all in memory: the default storage leaves files behind a killed job (and costs 16 ms more a rank).
  setenv("PMIX_MCA_gds", "hash", 1);
  // PMIx looks at this machine with hwloc, all of it. Plugins bring libraries for X11, OpenCL and XML along, and asking
  // PCI devices takes half of the time that a small job does, on virtual machines at least. Nobody here wants to know.
  setenv("HWLOC_PLUGINS_PATH", "/nonexistent", 0);
  setenv("HWLOC_COMPONENTS", "-linuxio", 0);
  // It prints an error when a rank is killed while it connects; what there is to say of that, mpirun says.
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null >= 0) setenv("PMIX_OUTPUT_STDERR_FD", std::to_string(null).c_str(), 1);
  bool tools = false;
  const pmix_rank_t own_rank = static_cast<pmix_rank_t>(getpid());
  pmix_info_t info[4];
  PMIX_INFO_LOAD(&info[0], PMIX_SERVER_TOOL_SUPPORT, &tools, PMIX_BOOL);
  PMIX_INFO_LOAD(&info[1], PMIX_TCP_IF_INCLUDE, "lo", PMIX_STRING);
  // Named as its ranks have been told (pmix_environment.hpp).
  PMIX_INFO_LOAD(&info[2], PMIX_SERVER_NSPACE, "pmix-server", PMIX_STRING);
  PMIX_INFO_LOAD(&info[3], PMIX_SERVER_RANK, &own_rank, PMIX_PROC_RANK);
  const pmix_status_t status = PMIx_server_init(&module, info, std::size(info));
  for (pmix_info_t& one : info) PMIX_INFO_DESTRUCT(&one);
  return status == PMIX_SUCCESS ? std::string() : failed("the server could not be started", status);
}

std::string Server::register_job(const Job& job) {
  name = job.name;
  JobInfo info = describe_job(job);
  int local = 0;
  for (const Place& place : job.ranks) local += place.node == job.node;
  pmix_status_t status =
      PMIx_server_register_nspace(job.name.c_str(), local, info.data(), info.size(), nullptr, nullptr);
  if (status != PMIX_SUCCESS && status != PMIX_OPERATION_SUCCEEDED) return failed("the job was not taken", status);
  std::uint32_t left = 0;
  for (const Place& place : job.ranks) left += place.node == job.node;
  for (std::uint32_t rank = 0; rank < job.ranks.size(); ++rank) {
    if (job.ranks[rank].node != job.node) continue;
    pmix_proc_t proc;
    PMIX_LOAD_PROCID(&proc, job.name.c_str(), rank);
    // Without a callback the call waits until it is done; PMIx works in order, so the last is waited for and no other.
    const pmix_op_cbfunc_t go_on = [](pmix_status_t, void*) {};
    status = PMIx_server_register_client(&proc, getuid(), getgid(), nullptr, --left == 0 ? nullptr : go_on, nullptr);
    if (status != PMIX_SUCCESS && status != PMIX_OPERATION_SUCCEEDED) return failed("a rank was not taken", status);
  }
  return {};
}

std::vector<std::string> Server::rank_environment(std::uint32_t rank) {
  pmix_proc_t proc;
  PMIX_LOAD_PROCID(&proc, name.c_str(), rank);
  char** environment = nullptr;
  std::vector<std::string> out;
  if (PMIx_server_setup_fork(&proc, &environment) != PMIX_SUCCESS) return out;
  for (char** entry = environment; entry && *entry; ++entry) {
    out.emplace_back(*entry);
    free(*entry);
  }
  free(environment);
  out.emplace_back("PMIX_MCA_gds=hash");
  return out;
}

void Server::answer_fence(std::uint64_t fence, int status, std::string_view data) {
  complete(fences, fence, status, data);
}

void Server::answer_modex(std::uint64_t question, int status, std::string_view data) {
  complete(questions, question, status, data);
}

void Server::ask_local(std::uint64_t question, std::uint32_t rank) {
  pmix_proc_t proc;
  PMIX_LOAD_PROCID(&proc, name.c_str(), rank);
  auto context = std::make_unique<Question>(Question{question});
  const pmix_status_t status = PMIx_server_dmodex_request(&proc, local_answer, context.get());
  if (status == PMIX_SUCCESS) {
    (void)context.release();
  } else {
    events.on_modex_answer(question, status, {});
  }
}

void Server::tell_local(int status, std::uint32_t source, std::string_view infos) {
  pmix_proc_t proc;
  PMIX_LOAD_PROCID(&proc, name.c_str(), source);
  pmix_data_buffer_t buffer;
  PMIX_DATA_BUFFER_CONSTRUCT(&buffer);
  pmix_byte_object_t bytes{const_cast<char*>(infos.data()), infos.size()};
  pmix_info_t* info = nullptr;
  std::uint64_t count = 0;
  int32_t one = 1;
  if (!infos.empty() && PMIx_Data_embed(&buffer, &bytes) == PMIX_SUCCESS &&
      PMIx_Data_unpack(nullptr, &buffer, &count, &one, PMIX_UINT64) == PMIX_SUCCESS && count > 0 && count < 1024) {
    PMIX_INFO_CREATE(info, count);
    auto number = static_cast<int32_t>(count);
    if (PMIx_Data_unpack(nullptr, &buffer, info, &number, PMIX_INFO) != PMIX_SUCCESS) count = 0;
  }
  PMIX_DATA_BUFFER_DESTRUCT(&buffer);
  // A null callback makes the call blocking, so that the infos can be given back at once.
  PMIx_Notify_event(status, &proc, PMIX_RANGE_LOCAL, info, count, nullptr, nullptr);
  if (info) PMIX_INFO_FREE(info, count);
}

}  // namespace
}  // namespace cow::launch

extern "C" __attribute__((visibility("default"))) cow::launch::PmixServer* cow_start_pmix(
    cow::launch::Loop& loop, cow::launch::PmixClientEvents& events, std::string& wrong) {
  auto out = std::make_unique<cow::launch::Server>(loop, events);
  wrong = out->start();
  return wrong.empty() ? out.release() : nullptr;
}
