"""The two networks that see faces, a detector and a mesh of 468 points, with their weights and their origin."""
