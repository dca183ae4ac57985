// The handshake, as the rest of src/transport sees it.
//
//   A                                             B
//   asks PMIx for B's address and nonce
//   hello (A's address, number for B, token)  ->  checks seal, nonce, job, version; knows A's address now
//   is up                                     <-  welcome (B's number for A, token)
//   confirm                                   ->  is up
//
// A peer may have several addresses. Each message of the handshake says which of the receiver's addresses it was sent
// to (attempt), and its answer says it back (echo): so each side learns which address really leads to the other, and
// only that is used. Without an answer the next address is tried. Both sides may begin at once. All is sealed with
// the job's key, so that a stranger's hello is dropped, and a hello that reached the wrong process (two hosts with the
// same address) too, since it carries the nonce of the process that is meant.
#pragma once

#include "base/clock.hpp"
#include "transport/peer.hpp"

namespace cow::transport {

// What connect.cpp needs to know of this process; set by open().
struct Self {
  Port* port = nullptr;      // the network's
  std::string address;       // as published by the port
  std::uint64_t nonce = 0;   // random; published with the address
  std::uint32_t window = 0;  // credits given to each sender, in units
};
extern Self self;

// What is published: the nonce and the port's address.
std::string introduction();

// Begins to connect to a peer in state unknown.
void connect(Peer& peer);

// A message of the handshake has arrived.
void handshake_arrived(const wire::Header& head, const std::byte* body, std::size_t size);

extern bool connections_pending;  // somebody is connecting

// Sends what is due again. Returns how much was sent.
std::size_t retry_connections();

// When retry_connections() must be called next; progress::Source::no_deadline when nobody is connecting.
Nanoseconds next_retry();

// peer.cpp: the peer is up, or never will be; what is queued goes out or is told.
void peer_is_up(Peer& peer);
void peer_failed(Peer& peer, Error error);

}  // namespace cow::transport
