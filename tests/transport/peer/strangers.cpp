// A victim and a peer, and a stranger who knows everything about the victim but the job's key and its tokens: its address,
// its nonce, the wire format. Nothing that it sends may change anything; all of it is counted. Then the peer itself, which
// is admitted, sends what makes no sense: over the network, or, run without a provider, through shared memory. In the end
// every reason to drop a message that there can be on that way has been counted, and told.
//
// Rank 2 is only there to be spoken of. Built from the layers themselves, below MPI, and run by mpirun.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "base/clock.hpp"
#include "base/settings.hpp"
#include "pt2pt/active.hpp"
#include "pt2pt/engine.hpp"
#include "pt2pt/quiesce.hpp"
#include "runtime/job.hpp"
#include "runtime/progress.hpp"
#include "transport/local_peers.hpp"
#include "transport/ofi/ofi.hpp"
#include "transport/peer.hpp"

namespace cow {
namespace {

using transport::Drop;
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

bool only_in_node(Drop reason) { return reason == Drop::fifo_line || reason == Drop::help; }

bool only_on_network(Drop reason) {
  return reason == Drop::size || reason == Drop::sender || reason == Drop::token || reason == Drop::repeated ||
         (reason >= Drop::handshake_form && reason <= Drop::handshake_unawaited);
}

// What this process writes to its standard error from now on, to its end: some of what is hostile may come late.
class CapturedStderr {
 public:
  CapturedStderr() : file_(memfd_create("stderr", 0)) { dup2(file_, 2); }
  std::string text() const {
    std::string text(static_cast<std::size_t>(lseek(file_, 0, SEEK_END)), '\0');
    expect(pread(file_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
           "standard error is read back");
    return text;
  }

 private:
  int file_;
};

std::size_t occurrences(const std::string& text, const std::string& of) {
  std::size_t count = 0;
  for (std::size_t at = text.find(of); at != std::string::npos; at = text.find(of, at + 1)) ++count;
  return count;
}

std::vector<Drop> reasons(bool in_node) {
  std::vector<Drop> out;
  for (int i = 0; i < transport::drop_count; ++i) {
    const auto reason = static_cast<Drop>(i);
    if (!(in_node ? only_on_network(reason) : only_in_node(reason))) out.push_back(reason);
  }
  return out;
}

void expect_reasons(bool in_node, const std::string& told) {
  for (const Drop reason : reasons(in_node)) {
    const std::string text = transport::text_of(reason);
    const std::size_t lines = occurrences(told, text);
    expect(transport::dropped(reason) > 0, text.c_str());
    expect(lines > 0 && lines <= 5, ("told a few times: " + text).c_str(), static_cast<long long>(lines));
  }
}

// Operations of the victim that its peer can speak of. Whoever makes them first has the same numbers.
struct Operations {
  pt2pt::Send send{pt2pt::send_on_stack_kind};
  pt2pt::Receive receive{pt2pt::receive_on_stack_kind};
  pt2pt::Transfer transfer;
  std::uint32_t send_number, receive_number;

  explicit Operations(transport::Peer& with) {
    send.peer = receive.peer = &with;
    send.out.head.kind = Kind::offer;
    send.size = transfer.expected = 100;
    receive.transfer = &transfer;
    send_number = pt2pt::engine.sends.insert(send);
    receive_number = pt2pt::engine.receives.insert(receive);
  }
  ~Operations() {
    pt2pt::engine.sends.erase(send_number);
    pt2pt::engine.receives.erase(receive_number);
  }
};

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
    for (int kind = 0; kind < 256; ++kind) forge(static_cast<Kind>(kind), 1);
    forge(Kind::eager, 1000);
    for (int round = 0; round < 200; ++round) garbage(random_() % 16384);
    for (Kind kind : {Kind::hello, Kind::welcome, Kind::confirm})
      for (int variant = 0; variant < 8; ++variant) handshake(kind, variant, false);
    progress::wait_until([&] { return port_->poll(), port_->drained(); });
    return sent_;
  }

  // What a rank of the job could send, gone mad: it has the key. And what is on its way twice.
  std::uint64_t attack_with_key() {
    for (int variant = 1; variant <= 2; ++variant) handshake(Kind::welcome, variant, true);
    handshake(Kind::welcome, 0, true);  // as rank 2, which nobody has spoken to
    const transport::Peer& victim = transport::peer_of(0);
    const wire::Header old{.kind = Kind::eager, .sender = victim.number, .token = victim.token, .sequence = 0};
    send(&old, sizeof old);
    progress::wait_until([&] { return port_->poll(), port_->drained(); });
    return sent_;
  }

 private:
  void send(const void* bytes, std::size_t size) {
    if (size == 0) return;  // providers differ in whether such a message exists
    progress::wait_until([&] {
      port_->poll();
      return port_->send(victim_, bytes, size, {}) != Post::again;
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
  void forge(Kind kind, std::uint32_t sender) {
    struct {
      wire::Header head;
      std::byte body[64] = {};
    } message;
    message.head = {.kind = kind,
                    .credits = 1000,
                    .sender = sender,
                    .token = static_cast<std::uint32_t>(random_()),
                    .sequence = 0,
                    .context = test_context};
    send(&message, sizeof message);
  }

  void handshake(Kind kind, int variant, bool with_key) {
    struct {
      wire::Header head;
      wire::Handshake shake;
      char address[16] = "192.0.2.1";
    } message;
    message.head.kind = kind;
    wire::Handshake& shake = message.shake;
    shake.job = runtime::job().id;
    shake.rank = variant == 1 ? 1'000'000 : with_key ? 2 : 1;
    shake.your_number = 1;
    shake.your_nonce = variant == 2 ? 0 : nonce_;
    shake.address_size = variant == 3 ? UINT32_MAX : sizeof message.address;
    shake.seal = siphash({1, 2}, &shake, sizeof shake);  // not the job's key
    if (with_key) {
      SipHash hash(runtime::job().key);
      hash.add(&kind, 1);
      hash.add(reinterpret_cast<std::byte*>(&shake) + sizeof shake.seal,
               sizeof shake - sizeof shake.seal + sizeof message.address);
      shake.seal = hash.finish();
    }
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

std::uint64_t let_a_stranger_attack() {
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

  Stranger stranger(introduction);
  stranger.attack();
  return stranger.attack_with_key();
}

template <class Body>
void post_body(Kind kind, const Body& body) {
  post(kind, &body, sizeof body, 0);
}

// Well-formed, but for what each of them is to be dropped for.
void post_wrong_bodies() {
  const Operations own(transport::peer_of(0));  // numbered as the victim's
  post_body(Kind::matched, wire::Done{.operation = own.send_number});
  post_body(Kind::withdrawn, wire::Withdrawal{.send = own.send_number});
  post_body(Kind::withdrawn, wire::Withdrawal{.place = 99, .flags = wire::withdrawal_certain});
  post_body(Kind::pull_done, wire::Done{.operation = own.send_number + 1000});
  post_body(Kind::request, wire::Request{.size = 0, .send = own.send_number});
  post_body(Kind::request, wire::Request{.size = 101, .send = own.send_number});
  post_body(Kind::request, wire::Request{.size = 100, .send = own.send_number, .key_size = 1000});
  post_body(Kind::piece, wire::Piece{.receive = own.receive_number, .offset = 50});
  post_body(Kind::offer, wire::Offer{.size = 100, .key_size = 1000});
  post(Kind::active, "", 0, transport::cost_of(0));
  post(Kind::quiesce, "", 0, 0);
  post(Kind::help, "", 0, 0);
}

void post_wrong_lines() {
  transport::shm::Link& link = *transport::peer_of(0).link;
  post_body(Kind::help, wire::Help{.size = UINT32_MAX});
  post(Kind::none, "", 0, 0);
  post(Kind::count, "", 0, 0);
  progress::wait_until([&] { return link.out.begin(100) != nullptr; });
  link.out.publish({Kind::eager, test_context, 1, 0}, 0, wire::max_body + 1);
  link.notify();
}

void run_peer() {
  for (int i = 0; i < honest_messages / 2; ++i) send_honest(i);
  pt2pt::drain();  // the victim has admitted this process
  const bool in_node = transport::peer_of(0).local;
  const std::uint64_t sent = in_node ? 0 : let_a_stranger_attack();
  for (int i = honest_messages / 2; i < honest_messages; ++i) send_honest(i);
  post(Kind::credit, &sent, sizeof sent, 0);  // how many the victim must have dropped

  // Admitted, but talking nonsense. None of it may bring the victim down.
  std::mt19937 random(3);
  for (Kind kind :
       {Kind::eager_ack, Kind::matched, Kind::offer, Kind::pull_done, Kind::request, Kind::piece, Kind::push_done}) {
    for (int round = 0; round < 50; ++round) {
      std::vector<unsigned char> body(random() % 100);
      for (unsigned char& byte : body) byte = static_cast<unsigned char>(random());
      post(kind, body.data(), body.size(), 0);
    }
  }
  post_wrong_bodies();
  if (in_node) post_wrong_lines();
  const int last = honest_messages;
  send_honest(last);
  pt2pt::drain();
}

void run_victim() {
  static std::uint64_t hostile = 0;
  transport::set_handler(Kind::eager, honest_arrived);
  transport::set_handler(Kind::credit,
                         [](transport::Peer&, const wire::Header&, const std::byte* body, std::size_t size) {
                           if (size == sizeof hostile) memcpy(&hostile, body, sizeof hostile);
                         });
  const Operations spoken_of(transport::peer_of(1));
  const bool in_node = transport::peer_of(1).local;
  CapturedStderr captured;
  progress::wait_until([] { return next_honest > honest_messages; });
  // What the stranger sent goes another way than what the peer did, and may come after it.
  const Nanoseconds limit = now() + 10 * second;
  progress::wait_until([&] {
    const std::vector<Drop> all = reasons(in_node);
    return now() > limit || std::all_of(all.begin(), all.end(), [](Drop each) { return transport::dropped(each) > 0; });
  });
  expect_reasons(in_node, captured.text());
  expect(in_node || hostile > 400, "the stranger has sent something", static_cast<long long>(hostile));
  expect(transport::dropped() >= hostile, "what the stranger sent was dropped and counted",
         static_cast<long long>(transport::dropped()));
  expect(next_honest == honest_messages + 1, "no honest message was lost or made up", next_honest);
}

}  // namespace
}  // namespace cow

int main() {
  using namespace cow;
  setenv("COW_DROPS", "yes", 1);
  register_predefined();
  require(runtime::join_job(), "joining the job");
  require(transport::open(), "opening the transport");
  pt2pt::open_engine();
  pt2pt::open_quiesce();
  pt2pt::open_active();
  if (runtime::job().rank == 0) run_victim();
  if (runtime::job().rank == 1) run_peer();
  require(runtime::leave_job(), "leaving the job");
  pt2pt::close_engine();
  transport::close();
  runtime::end_pmix();
  return failures ? 1 : 0;
}
