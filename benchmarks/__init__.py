"""Side-by-side measurements. Each script prints its own table: `python -m benchmarks.NAME --help`."""
