// cowinfo --protocols.
#pragma once

// The exit status.
int print_protocols();
