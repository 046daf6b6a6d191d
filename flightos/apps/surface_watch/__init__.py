"""Finds water and burnt land in multispectral tiles; see sdd.md."""
