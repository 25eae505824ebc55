"""A run's folder and what is kept in it: states to go on from, curves, the grid of faces; and the wish to stop."""
