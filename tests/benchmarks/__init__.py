"""How fast steelyard is beside other tools and beside plain NumPy: `python -m tests.benchmarks`."""
