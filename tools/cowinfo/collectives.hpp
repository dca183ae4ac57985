// cowinfo --collectives: which algorithm each collective would take.
#pragma once

// `argv` are the words after --collectives. Returns the exit status.
int print_collectives(int argc, char** argv);
