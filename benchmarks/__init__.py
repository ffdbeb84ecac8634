"""How fast rollcall is, measured against floors in the same run; see docs/BENCHMARKS.md."""
