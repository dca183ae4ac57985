// Start, garbage, remote memory: through a port, with a row that claims everything.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <random>

#include "base/clock.hpp"
#include "provider/crew.hpp"
#include "transport/ofi/garbage.hpp"
#include "transport/ofi/ofi_port.hpp"

namespace cow::probe {
namespace {

using transport::Post;
using transport::Registration;
using transport::ofi::OfiPort;

std::size_t private_kib() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  long total = 0, resident = 0, shared = 0;
  if (file && std::fscanf(file, "%ld %ld %ld", &total, &resident, &shared) != 3) resident = shared = 0;
  if (file) std::fclose(file);
  return static_cast<std::size_t>(resident - shared) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

// One of a crew of two, with a port that has reached the other's.
struct Ported final : transport::Receiver {
  void open(Member& member, const Provider& provider) {
    const transport::ofi::Library* library = nullptr;
    if (transport::ofi::load(library)) _exit(9);
    port = std::make_unique<OfiPort>(*library, provider, *this);
    if (port->open(true)) _exit(9);
    const std::string mine = port->published();
    Board& board = member.board;
    board.name_sizes[member.index] = mine.copy(board.names[member.index], sizeof board.names[0]);
    ++board.named;
    while (board.named < member.crew) usleep(1000);
    other_published.assign(board.names[1 - member.index], board.name_sizes[1 - member.index]);
    std::vector<transport::Candidate> candidates;
    if (port->candidates(other_published, true, candidates) || port->reach(candidates.front(), other)) _exit(9);
  }
  void arrived(const std::byte* bytes, std::size_t size) override {
    last.assign(reinterpret_cast<const char*>(bytes), size);
    ++count;
    int number = 0;
    if (size == sizeof number) memcpy(&number, bytes, size);
    if (size == sizeof number && number == next) ++next;
  }
  void send(const void* bytes, std::size_t size) {
    while (port->send(other, bytes, size, {}) == Post::again) port->poll();
  }
  void wait_for(int messages) {
    while (count < messages) port->poll();
  }

  std::unique_ptr<OfiPort> port;
  transport::Destination other = 0;
  std::string other_published, last;
  int count = 0;
  int next = 0;  // the number expected next, where messages are numbers; a stranger's are something else
};

Provider claiming_all(Provider provider) {
  provider.read = provider.write = true;
  provider.wait = Wait::none;
  provider.multi_receive = false;
  return provider;
}

struct Ended : transport::Completion {
  Ended() {
    done = [](transport::Completion& self, Error error) { static_cast<Ended&>(self).state = error ? 2 : 1; };
  }
  int state = 0;
};

struct Offer {
  std::uint64_t address, key_size;
  std::byte key[Registration::max_key];
};

void move_once(Ported& side, bool write, std::vector<char>& memory, const Registration& mine, const Offer& offer,
               std::size_t size) {
  Ended ended;
  for (Post post = Post::again; post == Post::again; side.port->poll()) {
    post =
        write
            ? side.port->write(side.other, memory.data(), &mine, offer.address, offer.key, offer.key_size, size, ended)
            : side.port->read(side.other, memory.data(), &mine, offer.address, offer.key, offer.key_size, size, ended);
  }
  while (ended.state == 0) side.port->poll();
  if (ended.state != 1) _exit(1);
}

constexpr std::size_t remote_sizes[] = {1, 1000, 20'000, 300'000, 5'000'000};

}  // namespace

void find_start(const Provider& provider, Findings& out) {
  struct Figures {
    double load_ms, open_ms;
    std::size_t memory;
  };
  Board& board = new_board();
  out.opens = run_crew(1, 20, board, [&](Member& member) {
    struct Ignore final : transport::Receiver {
      void arrived(const std::byte*, std::size_t) override {}
    } ignore;
    const std::size_t before = private_kib();
    const Nanoseconds begin = now();
    const transport::ofi::Library* library = nullptr;
    if (transport::ofi::load(library)) _exit(9);
    const Nanoseconds loaded = now();
    OfiPort port(*library, provider, ignore);
    if (port.open(true)) _exit(9);
    for (int i = 0; i < 100; ++i) port.poll();
    const Figures figures = {static_cast<double>(loaded - begin) / 1e6, static_cast<double>(now() - loaded) / 1e6,
                             private_kib() - before};
    memcpy(member.board.text, &figures, sizeof figures);
  });
  Figures figures;
  memcpy(&figures, board.text, sizeof figures);
  out.load_ms = figures.load_ms;
  out.open_ms = figures.open_ms;
  out.memory_kib = figures.memory;
}

Verdict find_garbage(const Provider& provider, int rounds) {
  if (!provider.ip) return Verdict::not_offered;
  Provider plain = claiming_all(provider);
  plain.read = plain.write = false;
  const bool datagrams = std::string_view(provider.name).starts_with("udp");
  return run_crew(2, 20, new_board(), [&](Member& member) {
    Ported side;
    side.open(member, plain);
    const sockaddr_in target = test::address_in(side.other_published);
    std::minstd_rand random(static_cast<unsigned>(member.index) + 1);
    for (int round = 0; round < rounds; ++round) {
      test::throw_garbage(target, random, datagrams);
      side.send(&round, sizeof round);
      while (side.next <= round) side.port->poll();
    }
    ++member.board.count;
    while (member.board.count < 2) side.port->poll();
  });
}

Verdict find_remote(const Provider& provider, bool write) {
  const Provider all = claiming_all(provider);
  return run_crew(2, 20, new_board(), [&](Member& member) {
    Ported side;
    side.open(member, all);
    std::vector<char> memory(8 << 20, member.index ? 'b' : 'a');
    Registration mine;
    if (side.port->register_memory(memory.data(), memory.size(), mine)) _exit(9);
    int messages = 0;
    if (member.index == 1) {
      Offer offer = {mine.address, mine.key_size, {}};
      memcpy(offer.key, mine.key, sizeof offer.key);
      side.send(&offer, sizeof offer);
      for (std::size_t size : remote_sizes) {
        side.wait_for(++messages);
        if (write && (memory[0] != 'a' || memory[size - 1] != 'a')) ++member.board.wrong;
        memset(memory.data(), 'b', size);
        side.send("next", 4);
      }
    } else {
      side.wait_for(++messages);
      Offer offer;
      memcpy(&offer, side.last.data(), sizeof offer);
      for (std::size_t size : remote_sizes) {
        memset(memory.data(), 'a', size);
        move_once(side, write, memory, mine, offer, size);
        if (!write && (memory[0] != 'b' || memory[size - 1] != 'b')) ++member.board.wrong;
        side.send("moved", 5);
        side.wait_for(++messages);
      }
    }
    ++member.board.count;
    while (member.board.count < 2) side.port->poll();
  });
}

Findings examine(const Provider& provider, int effort, bool only_claimed) {
  Findings out;
  find_start(provider, out);
  if (out.opens != Verdict::yes) return out;
  out.order_small = find_order(provider, 16384, 1000 * effort);
  out.order_large = find_order(provider, 60'000, 500 * effort);
  out.multi_receive = find_multi_receive(provider, 1000 * effort);
  out.wait = find_wait(provider);
  out.dead_peer = find_dead_peer(provider);
  if (provider.garbage || !only_claimed) out.garbage = find_garbage(provider, 60 * effort);
  out.read = find_remote(provider, false);
  out.write = find_remote(provider, true);
  return out;
}

}  // namespace cow::probe
