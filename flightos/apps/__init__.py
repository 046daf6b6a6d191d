"""Mission apps: pure steps, bytes in and bytes out, run in workers. `template` is the one to copy."""
