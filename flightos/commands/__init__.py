"""Bodies of the subcommands of `flightos`; `flightos.cli` imports each only when it runs."""
