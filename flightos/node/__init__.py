"""One node: the bus that joins its services, its clock, edge, recorder and snapshots."""
