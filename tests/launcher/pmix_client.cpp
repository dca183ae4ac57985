// A rank that uses PMIx as the library does, and checks what it is told. The first argument says what to do:
//   exchange   put a value, get that of every other rank without a fence, then fence and end
//   fence      put values, fence with data, get all of them
//   abort N    rank 1 calls PMIx_Abort(N), the others wait
//   leave N    rank 1 exits with N without PMIx_Finalize, the others wait
//   ask-gone   the last rank ends at once; rank 0 then asks for what it never put, and must get an error
//   ask-slow   rank 0 asks the last rank, which puts nothing, with a limit of one second, and must get an error in time
//   wait       prints "ready" and waits to be ended
#include <pmix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

// libpmix itself leaks at its end; what the launcher leaks is seen in mpirun.
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }

namespace {

pmix_proc_t self;
std::uint32_t size;

[[noreturn]] void fail(const char* what, int status) {
  fprintf(stderr, "rank %u: %s: %d %s\n", self.rank, what, status, PMIx_Error_string(status));
  exit(9);
}

void check(const char* what, pmix_status_t status) {
  if (status != PMIX_SUCCESS) fail(what, status);
}

// PMIX_JOB_INFO: PMIx 4.2.2 takes the node number of a rank for a fact about nodes, looks for it in the wrong place,
// and does not find it for a rank of another node, unless it is told to look among the facts about the job.
std::uint64_t number(std::uint32_t rank, const char* key, bool of_the_job = false) {
  pmix_proc_t proc;
  PMIX_LOAD_PROCID(&proc, self.nspace, rank);
  pmix_value_t* value = nullptr;
  pmix_info_t info;
  PMIX_INFO_LOAD(&info, PMIX_JOB_INFO, &of_the_job, PMIX_BOOL);
  check(key, PMIx_Get(&proc, key, &info, of_the_job ? 1 : 0, &value));
  std::uint64_t out = 0;
  pmix_status_t status;
  PMIX_VALUE_GET_NUMBER(status, value, out, std::uint64_t);
  check(key, status);
  PMIX_VALUE_RELEASE(value);
  return out;
}

std::string text(std::uint32_t rank, const char* key) {
  pmix_proc_t proc;
  PMIX_LOAD_PROCID(&proc, self.nspace, rank);
  pmix_value_t* value = nullptr;
  check(key, PMIx_Get(&proc, key, nullptr, 0, &value));
  const std::string out = value->type == PMIX_STRING ? value->data.string : "";
  PMIX_VALUE_RELEASE(value);
  return out;
}

std::string value_of(std::uint32_t rank) { return "value of " + std::to_string(rank) + std::string(600, '.'); }

void put() {
  const std::string mine = value_of(self.rank);
  pmix_value_t value;
  PMIX_VALUE_LOAD(&value, mine.c_str(), PMIX_STRING);
  check("put", PMIx_Put(PMIX_GLOBAL, "cow.test", &value));
  PMIX_VALUE_DESTRUCT(&value);
  check("commit", PMIx_Commit());
}

void get_all() {
  for (std::uint32_t rank = 0; rank < size; ++rank) {
    if (text(rank, "cow.test") != value_of(rank)) fail("another value than was put", static_cast<int>(rank));
  }
}

void fence(bool with_data) {
  pmix_info_t info;
  PMIX_INFO_LOAD(&info, PMIX_COLLECT_DATA, &with_data, PMIX_BOOL);
  pmix_proc_t all;
  PMIX_LOAD_PROCID(&all, self.nspace, PMIX_RANK_WILDCARD);
  check("fence", PMIx_Fence(&all, 1, &info, 1));
}

void check_key() {
  const char* fd = getenv("COW_KEY_FD");
  unsigned char key[64];
  if (!fd || pread(atoi(fd), key, sizeof key, 0) != 32) fail("no key of 32 bytes behind COW_KEY_FD", 0);
  int zeros = 0;
  for (int i = 0; i < 32; ++i) zeros += key[i] == 0;
  if (zeros > 16) fail("the key is not random", zeros);
}

void check_job_info() {
  if (number(PMIX_RANK_WILDCARD, PMIX_UNIV_SIZE) != size) fail("universe size", 0);
  if (number(PMIX_RANK_WILDCARD, PMIX_MAX_PROCS) != size) fail("most processes", 0);
  const std::uint64_t local_size = number(PMIX_RANK_WILDCARD, PMIX_LOCAL_SIZE);
  const std::uint64_t local_rank = number(self.rank, PMIX_LOCAL_RANK);
  if (local_rank >= local_size) fail("local rank", static_cast<int>(local_rank));
  number(self.rank, PMIX_APPNUM);
  std::string peers;
  for (std::uint32_t rank = 0; rank < size; ++rank) {
    if (text(rank, PMIX_HOSTNAME).empty()) fail("host name", static_cast<int>(rank));
    if (number(rank, PMIX_NODEID, true) != number(self.rank, PMIX_NODEID)) continue;
    peers += (peers.empty() ? "" : ",") + std::to_string(rank);
  }
  if (text(PMIX_RANK_WILDCARD, PMIX_LOCAL_PEERS) != peers) fail("local peers", 0);
}

[[noreturn]] void wait_for_the_end() {
  while (true) pause();
}

void exchange() {
  put();
  get_all();
  fence(false);
}

void fence_with_data() {
  put();
  fence(true);
  get_all();
}

[[noreturn]] void abort_with(int code) {
  if (self.rank == 1) PMIx_Abort(code, "as the test asked", nullptr, 0);
  wait_for_the_end();
}

[[noreturn]] void leave_with(int code) {
  if (self.rank != 1) wait_for_the_end();
  usleep(100'000);
  _exit(code);
}

// Asks for what the last rank has never put.
void ask_in_vain(const pmix_info_t* infos, std::size_t count) {
  pmix_proc_t last;
  PMIX_LOAD_PROCID(&last, self.nspace, size - 1);
  pmix_value_t* value = nullptr;
  if (PMIx_Get(&last, "cow.test", infos, count, &value) == PMIX_SUCCESS) fail("an answer about what was never put", 0);
}

void ask_gone() {
  if (self.rank != 0) return;
  usleep(300'000);
  ask_in_vain(nullptr, 0);
}

void ask_slow() {
  if (self.rank == 0) {
    int limit = 1;
    pmix_info_t info;
    PMIX_INFO_LOAD(&info, PMIX_TIMEOUT, &limit, PMIX_INT);
    alarm(5);
    ask_in_vain(&info, 1);
    alarm(0);
  }
  fence(false);
}

[[noreturn]] void be_ready() {
  fence(false);
  printf("ready %u %d\n", self.rank, getpid());
  fflush(stdout);
  wait_for_the_end();
}

void perform(const std::string& what, int code) {
  if (what == "exchange") return exchange();
  if (what == "fence") return fence_with_data();
  if (what == "abort") abort_with(code);
  if (what == "leave") leave_with(code);
  if (what == "ask-gone") return ask_gone();
  if (what == "ask-slow") return ask_slow();
  if (what == "wait") be_ready();
  fail("what is to be done?", 0);
}

}  // namespace

int main(int argc, char** argv) {
  check("init", PMIx_Init(&self, nullptr, 0));
  size = static_cast<std::uint32_t>(number(PMIX_RANK_WILDCARD, PMIX_JOB_SIZE));
  check_job_info();
  check_key();
  perform(argc > 1 ? argv[1] : "exchange", argc > 2 ? atoi(argv[2]) : 0);
  check("finalize", PMIx_Finalize(nullptr, 0));
  printf("rank %u of %u\n", self.rank, size);
  return 0;
}
