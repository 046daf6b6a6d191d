"""Virtual time: many nodes, one process, exact replay."""
