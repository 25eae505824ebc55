"""What `make` runs: build a host, start it, show what the pack does in it. Nothing here is part of the pack."""
