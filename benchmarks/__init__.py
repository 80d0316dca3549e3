"""One command per headline figure: `python -m benchmarks [NAME …] [--quick] [--json]`."""
