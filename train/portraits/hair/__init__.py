"""Hair: what one person's is like, where it grows, and the strands of it. The module `hair` is the door."""
