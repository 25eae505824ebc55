"""How the head is seen, lit and drawn: camera, light, shading, background; triangles, samples, a photograph."""
