"""Placement policies: pure functions of one task and the candidates, chosen by name."""
