// Noticing that a host has fallen off the network. Each agent on another host keeps one TCP connection to its parent in
// the tree (mpirun, or the agent that started it) that carries nothing: the kernels of both ends watch it (keepalive and TCP_USER_TIMEOUT), so that a process that is stopped
// or busy is never taken for lost. Both ends prove that they hold the job's key before the connection counts.
//
//   agent to parent    magic (8) | u32 node, little-endian | agent's nonce (16)
//   parent to agent    parent's nonce (16) | seal "parent" (16)
//   agent to parent    seal "agent" (16)
//   parent to agent    one byte: from now on the connection counts
//   seal               two SipHash-2-4 values, under the halves of the job's key, of word | node | both nonces
//
// Whoever says something else, or nothing for five seconds, is cut off; an agent that was just slow tries again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "launcher/core/loop.hpp"
#include "launcher/core/plans.hpp"

namespace cow::launch {

// The parent's end.
class KeepaliveServer {
 public:
  // `silent`: nothing came for the whole time; otherwise the connection ended, which the agent's own end may explain.
  using OnLost = std::function<void(std::uint32_t node, bool silent)>;
  using OnReady = std::function<void(std::uint32_t node)>;
  KeepaliveServer(Loop& loop, std::string key, milliseconds timeout, OnReady on_ready, OnLost on_lost);
  KeepaliveServer(const KeepaliveServer&) = delete;
  KeepaliveServer& operator=(const KeepaliveServer&) = delete;
  ~KeepaliveServer();

  // Listens on all addresses of this host. The port is 0 when that failed: then hosts are watched by the remote shell's
  // own means alone.
  KeepalivePlan open();

 private:
  struct Guest {
    std::string received;
    std::string expected;  // the seal that must come; empty: its first words have not come yet
    std::uint32_t node = 0;
    bool proven = false;
    std::uint64_t number = 0;  // descriptors are used again
  };
  void accept_one();
  void on_readable(int fd);
  void greet(int fd, Guest& guest);
  void drop(int fd);

  Loop& loop_;
  std::string key_;
  milliseconds timeout_;
  OnReady on_ready_;
  OnLost on_lost_;
  int listener_ = -1;
  std::uint64_t last_guest_ = 0;
  std::map<int, Guest> guests_;
};

// An agent's end.
class Keepalive {
 public:
  Keepalive(Loop& loop, std::string key, std::uint32_t node, std::function<void()> on_lost);
  Keepalive(const Keepalive&) = delete;
  Keepalive& operator=(const Keepalive&) = delete;
  ~Keepalive();
  void connect(const KeepalivePlan& plan);

 private:
  struct Attempt {
    std::string nonce, received;
    bool connected = false;
    bool sealed = false;  // this one was chosen, and the parent is to say that it counts
  };
  void connect_again();
  void try_address(const std::string& address, const KeepalivePlan& plan);
  void on_event(int fd);
  void drop(int fd);

  Loop& loop_;
  std::string key_;
  std::uint32_t node_;
  std::function<void()> on_lost_;
  KeepalivePlan plan_;
  int tries_ = 0;
  std::uint64_t retry_ = 0;
  int chosen_ = -1;  // the connection whose other end has proven itself
  bool counts_ = false;
  std::map<int, Attempt> attempts_;
};

// The seal of one end, for tests too.
std::string keepalive_seal(const std::string& key, const char* word, std::uint32_t node, const std::string& agent_nonce,
                           const std::string& parent_nonce);

}  // namespace cow::launch
