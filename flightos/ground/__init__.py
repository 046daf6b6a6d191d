"""The operator's side: accept, receive, archive, decode, inspect, report."""
