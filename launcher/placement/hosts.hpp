// Which ranks go to which host.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cow::launch {

struct Host {
  std::string name;   // verbatim: what is handed to the remote shell
  int slots = 0;      // 0: the user gave no count
  int max_slots = 0;  // what nothing lifts; 0: no such limit
  bool operator==(const Host&) const = default;
};

// A list of hosts, or what is wrong with its text ("line 3: …").
struct Hosts {
  std::vector<Host> list;
  std::string error;
};

// "a:2,b,[fe80::1]:4": names separated by commas, each with a count of slots if wanted. A name given again adds one
// slot, or those it says.
Hosts parse_host_list(std::string_view text);

// A host a line: "name", "name:4" or "name slots=4 max_slots=8", also with blanks around the sign; # begins a comment. Names
// may say a user: "me@name". Other words that launchers know (user= …) are errors, because ignoring them would start something
// else than was asked for.
Hosts parse_hostfile(std::string_view text);

// Those of `hosts` that `chosen` names too, in the order of `hosts` and with the slots of `chosen` where it says some. `source`
// is where `hosts` come from, for the message when one of `chosen` is not among them.
Hosts choose_hosts(const std::vector<Host>& hosts, const std::vector<Host>& chosen, std::string_view source);

// The host of each of `ranks` ranks, as indices into `hosts`: consecutive ranks fill a host's slots before the next
// host's. Hosts without a count have one slot each and no limit. `source` is how the user said which hosts
// ("--host", a file's name), for the message when the limit is exceeded.
struct Placement {
  std::vector<std::uint32_t> host_of_rank;
  std::string error;
};

// Other ways than filling each host before the next.
struct Spread {
  bool by_node = false;         // one to each host in turn
  bool number_by_node = false;  // consecutive ranks are on different hosts, whatever the counts came from
  std::uint32_t per_host = 0;   // at most so many on each; 0: as many as there are slots
};
Placement place_ranks(const std::vector<Host>& hosts, std::uint32_t ranks, bool oversubscribe, std::string_view source,
                      const Spread& spread = {});

// Whether `name` means this machine: "localhost", its host name (with or without domain), its name in Slurm, or
// an address of it.
bool is_this_host(std::string_view name);
std::string this_host();

}  // namespace cow::launch
