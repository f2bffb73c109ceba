"""Ours and the peers in one run: ``python -m benchmarks SUBJECT``. See README.md."""
