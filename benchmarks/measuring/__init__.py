"""What the benchmarks measure with: clocks, memory, our side and peers, a load on a server, tables and charts."""
