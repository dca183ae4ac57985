#include "provider/crew.hpp"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <new>

#include "base/clock.hpp"

namespace cow::probe {

const char* to_text(Verdict verdict) {
  static constexpr const char* texts[] = {"yes", "no", "hangs", "crashes", "-"};
  return texts[static_cast<int>(verdict)];
}

Board& new_board() {
  void* memory = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  COW_INVARIANT(memory != MAP_FAILED);
  return *new (memory) Board;
}

void Member::open(const Provider& provider) {
  const transport::ofi::Library* library = nullptr;
  if (transport::ofi::load(library)) _exit(9);
  const transport::ofi::QuietScope quiet;
  fabric = std::make_unique<transport::ofi::Fabric>(*library);
  sockaddr_storage loopback = {};
  auto& v4 = reinterpret_cast<sockaddr_in&>(loopback);
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string name;
  if (fabric->open(provider, provider.ip ? &loopback : nullptr) || fabric->name(*ep(), name)) _exit(9);
  board.name_sizes[index] = name.copy(board.names[index], sizeof board.names[index]);
  ++board.named;
  while (board.named < crew) usleep(1000);
  for (int member = 0; member < crew; ++member) {
    fi_addr_t& address = peers.emplace_back();
    if (fi_av_insert(fabric->addresses.get(), board.names[member], 1, &address, 0, nullptr) != 1) _exit(9);
  }
}

Verdict run_crew(int size, int seconds, Board& board, const std::function<void(Member&)>& body) {
  fflush(nullptr);
  std::vector<pid_t> children;
  for (int index = 0; index < size; ++index) {
    const pid_t child = fork();
    if (child == 0) {
      (void)!freopen("/dev/null", "w", stderr);
      {
        Member member(index, size, board);
        body(member);
      }
      _exit(0);
    }
    children.push_back(child);
  }
  Verdict verdict = Verdict::yes;
  const Nanoseconds limit = now() + seconds * second;
  for (pid_t child : children) {
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
      if (now() > limit) {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        if (verdict == Verdict::yes || verdict == Verdict::no) verdict = Verdict::hangs;
        break;
      }
      usleep(2000);
    }
    unlink(
        ("/dev/shm/" + std::to_string(child) + ":" + std::to_string(getuid()) + ":0").c_str());  // shm of a killed one
    const bool killed_here = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (WIFSIGNALED(status) && !killed_here) verdict = Verdict::crashes;
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0 && verdict == Verdict::yes) verdict = Verdict::no;
  }
  if (verdict == Verdict::yes && board.wrong > 0) verdict = Verdict::no;
  return verdict;
}

}  // namespace cow::probe
