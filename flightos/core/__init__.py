"""Words that belong to nobody: identifiers, on-board time, ports, limits, refusals, errors."""
