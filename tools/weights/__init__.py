"""Weights of others that the project ships, out of the packages that publish them; each file says what it runs."""
