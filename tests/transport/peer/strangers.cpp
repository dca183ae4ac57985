// Two ranks, a victim and a peer, and a stranger who knows everything about the victim but the job's key and its tokens:
// its address, its nonce, the wire format. Nothing that it sends may change anything; all of it is counted. Then the peer
// itself, which is admitted, sends bodies that make no sense.
//
// Built from the layers themselves, below MPI, and run by mpirun.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "base/settings.hpp"
#include "pt2pt/engine.hpp"
#include "runtime/job.hpp"
#include "runtime/progress.hpp"
#include "transport/ofi/ofi.hpp"
#include "transport/peer.hpp"

namespace cow {
namespace {

using transport::Counters;
using transport::Outgoing;
using transport::Post;
using wire::Kind;

constexpr int honest_messages = 200;
constexpr std::uint64_t test_context = 1 << 20;

int failures = 0;

void expect(bool good, const char* what, long long got = 0) {
  if (good) return;
  ++failures;
  printf("FAILED on rank %d: %s (%lld)\n", runtime::job().rank, what, got);
}

void require(Error error, const char* what) {
  if (!error) return;
  printf("%s: %s\n", what, last_failure());
  exit(1);
}

struct Deaf final : transport::Receiver {
  void arrived(const std::byte*, std::size_t) override {}
} deaf;

// ---- the victim

int next_honest = 0;

void honest_arrived(transport::Peer& peer, const wire::Header& head, const std::byte* body, std::size_t size) {
  int number;
  expect(size == sizeof number && head.context == test_context, "an honest message has changed", head.tag);
  memcpy(&number, body, sizeof number);
  expect(number == next_honest, "an honest message is out of order", number);
  ++next_honest;
  transport::buffer_release(peer, transport::cost_of(size));
}

std::uint64_t dropped() {
  const Counters& counters = transport::counters;
  return counters.strangers + counters.malformed + counters.bad_handshakes;
}

// ---- the stranger

class Stranger {
 public:
  Stranger(const std::string& introduction) : random_(7) {
    memcpy(&nonce_, introduction.data(), sizeof nonce_);
    require(transport::open_port(settings().provider, true, deaf, port_), "the stranger's port");
    std::vector<transport::Candidate> candidates;
    require(port_->candidates(introduction.substr(sizeof nonce_), true, candidates), "the victim's addresses");
    require(port_->reach(candidates.at(0), victim_), "the victim");
  }

  // Returns how many messages it sent.
  std::uint64_t attack() {
    for (std::size_t size : {0u, 1u, 7u, 31u, 32u, 33u, 100u, 1000u, 16384u}) garbage(size);
    for (int kind = 0; kind < 256; ++kind) forge(static_cast<Kind>(kind));
    for (int round = 0; round < 200; ++round) garbage(random_() % 16384);
    for (Kind kind : {Kind::hello, Kind::welcome, Kind::confirm})
      for (int variant = 0; variant < 8; ++variant) handshake(kind, variant);
    progress::wait_until([&] { return port_->poll(), port_->drained(); });
    return sent_;
  }

 private:
  void send(const void* bytes, std::size_t size) {
    if (size == 0) return;  // providers differ in whether such a message exists
    progress::wait_until([&] {
      port_->poll();
      return port_->send(victim_, bytes, size, {}) == Post::done;
    });
    ++sent_;
  }

  // What looks like a handshake by chance is one in 2^64 with the right seal.
  void garbage(std::size_t size) {
    std::vector<unsigned char> bytes(size);
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random_());
    send(bytes.data(), size);
  }

  // A well-formed message in the name of the peer, with a guessed token.
  void forge(Kind kind) {
    struct {
      wire::Header head;
      std::byte body[64] = {};
    } message;
    message.head = {.kind = kind, .credits = 1000, .sender = 1, .token = static_cast<std::uint32_t>(random_()),
                    .sequence = 0, .context = test_context};
    send(&message, sizeof message);
  }

  void handshake(Kind kind, int variant) {
    struct {
      wire::Header head;
      wire::Handshake shake;
      char address[16] = "192.0.2.1";
    } message;
    message.head.kind = kind;
    wire::Handshake& shake = message.shake;
    shake.job = runtime::job().id;
    shake.rank = variant == 1 ? 1'000'000 : 1;
    shake.your_number = 1;
    shake.your_nonce = variant == 2 ? 0 : nonce_;
    shake.address_size = variant == 3 ? UINT32_MAX : sizeof message.address;
    shake.seal = siphash({1, 2}, &shake, sizeof shake);  // not the job's key
    if (variant == 4) shake.magic = 0;
    if (variant == 5) shake.version = 99;
    if (variant == 6) shake.word_size = 4;
    send(&message, variant == 7 ? 40 : sizeof message);
  }

  std::mt19937 random_;
  std::uint64_t nonce_ = 0;
  std::unique_ptr<transport::Port> port_;
  transport::Destination victim_ = 0;
  std::uint64_t sent_ = 0;
};

// ---- the peer

void post(Kind kind, const void* body, std::size_t size, std::uint16_t cost) {
  Outgoing out;
  bool posted = false;
  out.head = {.kind = kind, .context = test_context};
  out.body = {.bytes = body, .size = size};
  out.cost = cost;
  out.owner = &posted;
  out.posted = [](Outgoing& message, Error) { *static_cast<bool*>(message.owner) = true; };
  if (transport::post(transport::peer_of(0), out) == Post::done) return;
  progress::wait_until([&] { return posted; });
}

void send_honest(int number) { post(Kind::eager, &number, sizeof number, transport::cost_of(sizeof number)); }

void run_peer() {
  std::string introduction;
  Error error;
  bool got = false;
  runtime::fetch_address(0, [&](Error result, std::string bytes) {
    error = result;
    introduction = std::move(bytes);
    got = true;
  });
  progress::wait_until([&] { return got; });
  require(error, "the victim's address");

  for (int i = 0; i < honest_messages / 2; ++i) send_honest(i);
  Stranger stranger(introduction);
  const std::uint64_t sent = stranger.attack();
  for (int i = honest_messages / 2; i < honest_messages; ++i) send_honest(i);
  post(Kind::credit, &sent, sizeof sent, 0);  // how many the victim must have dropped

  // Admitted, but talking nonsense. None of it may bring the victim down.
  std::mt19937 random(3);
  for (Kind kind : {Kind::eager_ack, Kind::matched, Kind::offer, Kind::pull_done, Kind::request, Kind::piece,
                    Kind::push_done}) {
    for (int round = 0; round < 50; ++round) {
      std::vector<unsigned char> body(random() % 100);
      for (unsigned char& byte : body) byte = static_cast<unsigned char>(random());
      post(kind, body.data(), body.size(), 0);
    }
  }
  const int last = honest_messages;
  send_honest(last);
  transport::drain();
}

void run_victim() {
  static std::uint64_t hostile = 0;
  transport::set_handler(Kind::eager, honest_arrived);
  transport::set_handler(Kind::credit, [](transport::Peer&, const wire::Header&, const std::byte* body, std::size_t size) {
    if (size == sizeof hostile) memcpy(&hostile, body, sizeof hostile);
  });
  progress::wait_until([] { return next_honest > honest_messages; });
  expect(hostile > 400, "the stranger has sent something", static_cast<long long>(hostile));
  expect(dropped() >= hostile, "what the stranger sent was dropped and counted", static_cast<long long>(dropped()));
  expect(next_honest == honest_messages + 1, "no honest message was lost or made up", next_honest);
}

}  // namespace
}  // namespace cow

int main() {
  using namespace cow;
  register_predefined();
  require(runtime::join_job(), "joining the job");
  require(transport::open(), "opening the transport");
  pt2pt::open_engine();
  if (runtime::job().rank == 0)
    run_victim();
  else
    run_peer();
  require(runtime::leave_job(), "leaving the job");
  pt2pt::close_engine();
  transport::close();
  runtime::end_pmix();
  return failures ? 1 : 0;
}
