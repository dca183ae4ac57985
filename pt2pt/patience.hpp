// Patience: a send of mode `auto` that goes by `notify` waits no longer than keeping its message takes. Then the message is
// kept, by a snapshot or a copy, whichever is cheaper and can be had, and the buffer is the program's; so whoever waits for
// it never waits for more than twice what the cheaper takes, and never for a receive that comes only afterwards.
//
// A message that its receiver has taken is not kept any more: it will be there. Taking and keeping meet at
// wire::Whereabouts inside a node, and else at the sender, whom the receiver asks for the data.
//
// Only sends that the program needs are kept: those it waits for, or asks about, while nothing else is missing.
#pragma once

#include "pt2pt/debt.hpp"

namespace cow::pt2pt {

// Begins a send that may be kept later.
void begin_patiently(Debt& debt, const SendArgs& args);

// RequestKind::needed of debts: the time begins.
void lose_patience(Request& request);

void forget_patience(Debt& debt);

}  // namespace cow::pt2pt
