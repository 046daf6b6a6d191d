"""The only input and output of flightos: links, clocks, stores, workers, sensors."""
