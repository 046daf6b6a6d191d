"""One node with its devices, in mission time: the same host serves virtual time, granted processes and boards."""
