// Order, shared receive buffers, waiting, dead peers: with raw libfabric calls.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <random>

#include "base/clock.hpp"
#include "provider/crew.hpp"

namespace cow::probe {
namespace {

struct Head {
  std::uint32_t sender, number, size, check;
};

std::uint32_t sum(const char* bytes, std::size_t size) {
  std::uint32_t out = 1;
  for (std::size_t i = 0; i < size; ++i) out = out * 31 + static_cast<unsigned char>(bytes[i]);
  return out;
}

// Takes completions of sends, so that the provider goes on. Returns how many ended.
int reap(Member& member) {
  fi_cq_data_entry entries[8];
  const ssize_t n = fi_cq_read(member.queue(), entries, 8);
  if (n == -FI_EAVAIL) {
    fi_cq_err_entry error = {};
    fi_cq_readerr(member.queue(), &error, 0);
    return 1;
  }
  return n > 0 ? static_cast<int>(n) : 0;
}

// Sends `count` messages of random sizes to member 0, one at a time in each of a few buffers.
void send_many(Member& member, std::size_t largest, int count) {
  constexpr int window = 8;
  std::vector<std::vector<char>> buffers(window, std::vector<char>(largest));
  std::minstd_rand random(static_cast<unsigned>(member.index) * 77 + 1);
  int posted = 0, ended = 0;
  while (ended < count && !member.board.over) {
    // Ends may come in any order, so a buffer is used again only when all before have ended.
    if (posted < count && (posted % window != 0 || ended == posted)) {
      std::vector<char>& buffer = buffers[static_cast<std::size_t>(posted % window)];
      const std::size_t size = sizeof(Head) + random() % (largest - sizeof(Head));
      for (std::size_t i = sizeof(Head); i < size; i += 97) buffer[i] = static_cast<char>(random());
      Head head = {static_cast<std::uint32_t>(member.index), static_cast<std::uint32_t>(posted),
                   static_cast<std::uint32_t>(size), sum(buffer.data() + sizeof head, size - sizeof head)};
      memcpy(buffer.data(), &head, sizeof head);
      ssize_t code;
      while ((code = fi_send(member.ep(), buffer.data(), size, nullptr, member.peer(0), &buffer)) == -FI_EAGAIN &&
             !member.board.over)
        ended += reap(member);
      if (code == 0) ++posted;
    }
    ended += reap(member);
  }
  while (!member.board.over) reap(member);
}

// Checks one message; true when it is whole.
bool whole(const char* bytes, std::size_t size, Head& head) {
  if (size < sizeof head) return false;
  memcpy(&head, bytes, sizeof head);
  return head.size == size && head.sender < Board::most && head.check == sum(bytes + sizeof head, size - sizeof head);
}

}  // namespace

Verdict find_order(const Provider& provider, std::size_t largest, int messages) {
  Provider single = provider;
  single.multi_receive = false;
  single.wait = Wait::none;
  return run_crew(2, 20, new_board(), [&](Member& member) {
    member.open(single);
    if (member.index != 0) return send_many(member, largest, messages);
    std::vector<std::vector<char>> buffers(16, std::vector<char>(largest));
    for (auto& buffer : buffers)
      while (fi_recv(member.ep(), buffer.data(), largest, nullptr, FI_ADDR_UNSPEC, &buffer) == -FI_EAGAIN) reap(member);
    for (std::uint32_t expected = 0; expected < static_cast<std::uint32_t>(messages);) {
      fi_cq_msg_entry entry;
      if (fi_cq_read(member.queue(), &entry, 1) != 1) continue;
      auto& buffer = *static_cast<std::vector<char>*>(entry.op_context);
      Head head;
      if (!whole(buffer.data(), entry.len, head) || head.number != expected) ++member.board.wrong;
      ++expected;
      while (fi_recv(member.ep(), buffer.data(), largest, nullptr, FI_ADDR_UNSPEC, &buffer) == -FI_EAGAIN) {
      }
    }
    member.board.over = true;
  });
}

namespace {

constexpr std::size_t longest = 16384, room = 8 * longest;

struct SharedBuffer {
  std::vector<char> bytes = std::vector<char>(room);
  std::size_t completed = 0, end = 0;

  // It is posted again when the bytes completed in it are as many as the end of the message that was flagged last: the
  // flag comes when that message is begun, while earlier ones may still be arriving.
  bool is_used_up() const { return end != 0 && completed == end; }
};

void post(Member& member, SharedBuffer& buffer) {
  buffer.completed = buffer.end = 0;
  iovec vector = {buffer.bytes.data(), room};
  fi_msg message = {};
  message.msg_iov = &vector;
  message.iov_count = 1;
  message.addr = FI_ADDR_UNSPEC;
  message.context = &buffer;
  ssize_t code;
  while ((code = fi_recvmsg(member.ep(), &message, FI_MULTI_RECV)) == -FI_EAGAIN) {
  }
  if (code != 0) _exit(9);
}

// Receives all messages of all senders in a few buffers, and counts what is not whole or comes twice.
void receive_shared(Member& member, int senders, int messages) {
  std::size_t least = longest;
  fi_setopt(&member.ep()->fid, FI_OPT_ENDPOINT, FI_OPT_MIN_MULTI_RECV, &least, sizeof least);
  std::vector<SharedBuffer> buffers(4);
  for (SharedBuffer& buffer : buffers) post(member, buffer);
  std::vector<std::vector<bool>> seen(Board::most, std::vector<bool>(static_cast<std::size_t>(messages)));
  for (int left = senders * messages; left > 0;) {
    fi_cq_data_entry entry;
    if (fi_cq_read(member.queue(), &entry, 1) != 1) continue;
    auto& buffer = *static_cast<SharedBuffer*>(entry.op_context);
    if (entry.flags & FI_RECV) {
      --left;
      Head head;
      const char* bytes = static_cast<const char*>(entry.buf);
      if (!whole(bytes, entry.len, head) || head.number >= static_cast<std::uint32_t>(messages) ||
          seen[head.sender][head.number])
        ++member.board.wrong;
      else
        seen[head.sender][head.number] = true;
      buffer.completed += entry.len;
      if (entry.flags & FI_MULTI_RECV) buffer.end = static_cast<std::size_t>(bytes - buffer.bytes.data()) + entry.len;
    } else if (entry.flags & FI_MULTI_RECV) {
      buffer.end = buffer.completed;  // the flag came alone
    }
    if (buffer.is_used_up()) post(member, buffer);
  }
}

}  // namespace

Verdict find_multi_receive(const Provider& provider, int messages) {
  constexpr int senders = 4;
  Board& board = new_board();
  const Verdict verdict = run_crew(senders + 1, 30, board, [&](Member& member) {
    Provider opened = provider;
    opened.multi_receive = member.index == 0;
    opened.wait = Wait::none;
    member.open(opened);
    if (member.index != 0) return send_many(member, longest, messages);
    receive_shared(member, senders, messages);
    member.board.over = true;
  });
  return verdict == Verdict::no && board.wrong == 0 ? Verdict::not_offered : verdict;
}

// Whether a receiver that sleeps on the descriptor is woken by each message, and does not wake for nothing.
Wait find_wait(const Provider& provider) {
  Provider waiting = provider;
  waiting.multi_receive = false;
  waiting.wait = Wait::descriptor;
  Board& board = new_board();
  constexpr int rounds = 20;
  const Verdict verdict = run_crew(2, 10, board, [&](Member& member) {
    member.open(waiting);
    if (member.index == 1) {
      for (int round = 0; round < rounds; ++round) {
        while (fi_inject(member.ep(), "ping", 4, member.peer(0)) == -FI_EAGAIN) reap(member);
        for (int i = 0; i < 20; ++i) reap(member), usleep(500);
      }
      while (!member.board.over) reap(member), usleep(500);
      return;
    }
    char buffer[64];
    fi_recv(member.ep(), buffer, sizeof buffer, nullptr, FI_ADDR_UNSPEC, buffer);
    fid* objects[] = {&member.queue()->fid};
    for (int came = 0; came < rounds;) {
      if (reap(member)) {
        ++came;
        fi_recv(member.ep(), buffer, sizeof buffer, nullptr, FI_ADDR_UNSPEC, buffer);
        continue;
      }
      if (fi_trywait(member.fabric->fabric.get(), objects, 1) != 0) continue;
      pollfd waited = {member.fabric->wait_fd, POLLIN, 0};
      if (poll(&waited, 1, 2000) == 0) ++member.board.wrong;  // slept through it
      ++member.board.count;
    }
    member.board.over = true;
  });
  if (verdict != Verdict::yes) return Wait::none;
  return board.count > 30 * rounds ? Wait::stale : Wait::descriptor;
}

std::string find_dead_peer(const Provider& provider) {
  Provider plain = provider;
  plain.wait = Wait::none;
  plain.multi_receive = false;
  Board& board = new_board();
  const Verdict verdict = run_crew(2, 15, board, [&](Member& member) {
    member.open(plain);
    char buffer[64];
    if (member.index == 1) {
      fi_recv(member.ep(), buffer, sizeof buffer, nullptr, FI_ADDR_UNSPEC, buffer);
      while (!reap(member)) {
      }
      ++member.board.count;
      kill(getpid(), SIGKILL);
    }
    while (fi_inject(member.ep(), "ping", 4, member.peer(1)) == -FI_EAGAIN) reap(member);
    while (member.board.count == 0) reap(member), usleep(1000);
    usleep(50'000);
    static char bytes[1000];
    long taken = 0, again = 0, errors = 0;
    for (const Nanoseconds limit = now() + 2 * second; now() < limit; usleep(2000)) {
      const ssize_t code = fi_send(member.ep(), bytes, sizeof bytes, nullptr, member.peer(1), bytes);
      ++(code == 0 ? taken : code == -FI_EAGAIN ? again : errors);
      fi_cq_err_entry error = {};
      fi_cq_msg_entry entry;
      if (fi_cq_read(member.queue(), &entry, 1) == -FI_EAVAIL && fi_cq_readerr(member.queue(), &error, 0) == 1)
        ++errors;
    }
    snprintf(member.board.text, sizeof member.board.text, "%s%s%s", again > 100 ? "again for ever" : "taken",
             errors > 0 ? ", after an error for what was on its way" : "", taken > 100 ? " and lost" : "");
  });
  return verdict == Verdict::crashes ? "crashes" : board.text[0] ? board.text : to_text(verdict);
}

}  // namespace cow::probe
