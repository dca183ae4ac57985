// What the network refuses, or loses after it was taken, is an error of the peer that it was for, and of all that is under
// way with it; nothing of it counts as sent, and nothing waits for ever.
//
// Rank 0 sends: to rank 1 through a port that refuses, and to rank 2, which has closed its own. Built from the layers themselves,
// below MPI, and run by mpirun.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/settings.hpp"
#include "pt2pt/engine.hpp"
#include "pt2pt/quiesce.hpp"
#include "runtime/job.hpp"
#include "runtime/progress.hpp"
#include "transport/connect.hpp"
#include "transport/peer.hpp"

namespace cow {
namespace {

using transport::Outgoing;
using transport::Peer;
using transport::Post;

int failures = 0;

void expect(bool good, const char* what) {
  if (good) return;
  ++failures;
  printf("FAILED on rank %d: %s\n", runtime::job().rank, what);
}

void require(Error error, const char* what) {
  if (!error) return;
  printf("%s: %s\n", what, last_failure());
  exit(1);
}

template <class Condition>
bool soon(Condition condition) {
  const Nanoseconds limit = now() + 20 * second;
  progress::wait_until([&] { return condition() || now() > limit; });
  return condition();
}

// A port that takes nothing, for now or for good.
struct Refusing final : transport::Port {
  Post answer = Post::again;
  int asked = 0;

  Post send(transport::Destination, const void*, std::size_t, const transport::Body&) override {
    ++asked;
    if (answer == Post::refused) (void)fail(ErrorClass::other, "it is not in the mood");
    return answer;
  }
  const char* name() const override { return "refusing"; }
  std::string published() const override { return {}; }
  Error candidates(std::string_view, bool, std::vector<transport::Candidate>&) const override { return success; }
  Error reach(const transport::Candidate&, transport::Destination&) override { return success; }
  void forget(transport::Destination) override {}
  Post read(transport::Destination, void*, const transport::Registration*, std::uint64_t, const std::byte*, std::size_t,
            std::size_t, transport::Completion&) override {
    return Post::again;
  }
  Post write(transport::Destination, const void*, const transport::Registration*, std::uint64_t, const std::byte*,
             std::size_t, std::size_t, transport::Completion&) override {
    return Post::again;
  }
  bool needs_local_registration() const override { return false; }
  Error register_memory(const void*, std::size_t, transport::Registration&) override { return success; }
  void release_memory(transport::Registration&) override {}
  std::size_t poll() override { return 0; }
  bool drained() const override { return true; }
};

struct Message : Outgoing {
  std::vector<std::byte> bytes = std::vector<std::byte>(2000);
  bool over = false;
  Error error;

  explicit Message(wire::Kind kind) {
    head = {.kind = kind};
    cost = wire::costs_credits(kind) ? transport::cost_of(bytes.size()) : std::uint16_t{0};
    body = {.bytes = bytes.data(), .size = bytes.size()};
    posted = [](Outgoing& out, Error result) {
      auto& self = static_cast<Message&>(out);
      self.over = true;
      self.error = result;
    };
  }
};

// Of an operation that has left and waits for its peer.
struct WaitingSend : pt2pt::Send {
  explicit WaitingSend(Peer& with) : Send(pt2pt::send_on_stack_kind) {
    args.type = find(MPI_BYTE);
    retain(*args.type);
    retain(*this);  // the engine's
    peer = &with;
    out.head.kind = wire::Kind::offer;
    id = pt2pt::engine.sends.insert(*this);
  }
};

void refuse_for_good(Peer& peer) {
  Refusing refusing;
  transport::Port* const real = std::exchange(transport::self.port, &refusing);
  WaitingSend waiting(peer);
  Message queued(wire::Kind::offer), answer(wire::Kind::credit);
  expect(transport::post(peer, queued) == Post::posted, "what the port takes later is queued");
  progress::poll();
  expect(!queued.over && peer.state == Peer::State::up && refusing.asked > 1, "it is tried again");
  refusing.answer = Post::refused;
  expect(transport::post(peer, answer) == Post::posted, "what is refused has not been sent");
  expect(soon([&] { return queued.over && answer.over && waiting.done(); }), "all of the peer's come to an end");
  expect(queued.error && answer.error, "and with an error");
  expect(peer.state == Peer::State::failed, "the peer has failed");
  (void)transport::failure_of(peer);
  expect(strstr(last_failure(), "not in the mood") && strstr(last_failure(), "rank 1"), "the error says which and why");
  expect(waiting.status.MPI_ERROR != MPI_SUCCESS, "so does an operation that waited for the peer");
  transport::self.port = real;
}

void lose(Peer& peer) {
  const bool failed = soon([&] {
    Message message(wire::Kind::credit);
    if (transport::post(peer, message) == Post::done) return usleep(1000), false;
    return soon([&] { return message.over; }) && message.error;
  });
  expect(failed, "a peer that has closed its port is found to be gone");
}

void connect_to(Peer& peer) {
  Message first(wire::Kind::eager);
  if (transport::post(peer, first) != Post::done) expect(soon([&] { return first.over; }), "the first message leaves");
  expect(!first.error && peer.state == Peer::State::up, "the peer is up");
}

// The provider net keeps what it has taken and tries to connect again for ever; that the process has ended is seen by the
// launcher alone.
bool provider_tells_of_losses() { return settings().provider == "tcp;ofi_rxm"; }

void run_sender() {
  connect_to(transport::peer_of(1));
  refuse_for_good(transport::peer_of(1));
  connect_to(transport::peer_of(2));
  if (provider_tells_of_losses()) lose(transport::peer_of(2));
}

// Is gone when it has got a message.
void run_deserter() {
  static bool got = false;
  transport::set_handler(wire::Kind::eager,
                         [](Peer&, const wire::Header&, const std::byte*, std::size_t) { got = true; });
  progress::wait_until([] { return got; });
  transport::close();
}

}  // namespace
}  // namespace cow

int main() {
  using namespace cow;
  register_predefined();
  require(runtime::join_job(), "joining the job");
  require(transport::open(), "opening the transport");
  pt2pt::open_engine();
  if (runtime::job().rank == 0) run_sender();
  if (runtime::job().rank == 2) run_deserter();
  require(runtime::leave_job(), "leaving the job");
  pt2pt::close_engine();
  transport::close();
  runtime::end_pmix();
  return failures ? 1 : 0;
}
