"""Real processes over ZeroMQ: fork server, time authority, supervision."""
