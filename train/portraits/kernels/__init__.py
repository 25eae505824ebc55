"""The arithmetic that numba compiles, and the named tuples that all rooms of the studio hand to one another."""
