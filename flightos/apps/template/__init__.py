"""The smallest app that flies: copy this folder, rename it, and change one thing at a time; see sdd.md."""
