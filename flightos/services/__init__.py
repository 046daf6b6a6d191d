"""Flight logic: one folder per service, each with one contract (`interface.py`) and one document (`sdd.md`)."""
