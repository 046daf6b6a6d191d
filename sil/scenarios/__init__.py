"""Scenarios: one TOML each, named after the question it answers; checked, then decided into a RunPlan."""
