"""Hair: what one person's is like, where it grows, the strands and how they are drawn. `hair` is the door."""
