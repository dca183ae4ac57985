// What a rank and the agent of its node say to each other: messages over a local socket (SOCK_SEQPACKET) that keeps their
// borders. This is the one home of the format. Both run on one machine, so numbers are as it keeps them.
//
//   message   AgentHeader | payload, max_agent_message bytes in all
//
// The agent listens in the abstract name space of local sockets, at a name of the kernel's choice, which stands in the
// environment of its ranks: COW_AGENT=00a3f:NAMESPACE. It is valid in a process whose PMIX_NAMESPACE says the same; else
// another launcher has started that process in turn.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cow {

inline constexpr std::uint64_t agent_protocol = 3;
inline constexpr std::size_t max_agent_message = 64 << 10;  // bytes
inline constexpr std::size_t nodes_in_message = 8192;

// What the files in memory are called that ranks inherit (COW_KEY_FD, COW_SHM_FD); by this they are told from whatever
// else may have their numbers by now.
inline constexpr char key_file[] = "cow-key";
inline constexpr char memory_file[] = "cow-node";

enum class AgentSays : std::uint32_t {
  // A rank says:          number            token             payload
  join = 1,       // its rank          agent_protocol
  ask_nodes = 2,  // the first rank
  ask_key = 3,    // (this and ask_memory: where the inherited descriptors were closed on the way)
  publish = 4,    //                                     bytes for all ranks of the job
  fetch = 5,      // a rank            of this question
  fence = 6,      //                   of this fence
  leave = 7,
  abort = 8,  // exit status                         why, in one line, or nothing
  why = 9,    //                                     what it waits for (api/why.hpp): lines, each with its end
  ask_memory = 10,
  // The agent says:
  joined = 32,   // AgentStatus                         AgentFacts | name | u32 ranks of this node, rising
  nodes = 33,    // the first rank                      u32 node of each rank from there on, at most nodes_in_message
  key = 34,      //                                     the job's secret; nothing for processes of other users
  fetched = 35,  // AgentStatus       that of fetch     what was published
  fenced = 36,   // AgentStatus       that of fence
  memory = 37,   // AgentStatus                         (with a descriptor, when the status is good)
};

enum class AgentStatus : std::uint32_t {
  good = 0,
  other_version = 1,
  unknown_rank = 2,
  gone = 3,  // a rank has ended and can neither be asked nor waited for
  failed = 4,
};

struct AgentHeader {
  AgentSays kind;
  std::uint32_t number;
  std::uint64_t token;
};
static_assert(sizeof(AgentHeader) == 16);

struct AgentFacts {
  std::uint32_t size;  // ranks of the job
  std::uint32_t node;  // of the asking rank
  std::uint32_t node_count;
  std::uint32_t local_rank;
  std::uint32_t appnum;
  std::uint32_t name_size;    // bytes
  std::uint32_t local_count;  // ranks of this node
};
static_assert(sizeof(AgentFacts) == 28);

}  // namespace cow
