// cowinfo --send-modes.
#pragma once

// Prints what each send mode is predicted to cost on this machine; returns the exit status.
int print_send_modes(int argc, char** argv);
