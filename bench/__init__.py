"""What Keyrack costs, measured beside what it is compared with: `make bench`, explained in docs/benchmarks.md."""
