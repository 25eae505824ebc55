"""How the head is seen and drawn: camera, light and background, from triangles to samples to a photograph."""
