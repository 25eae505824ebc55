"""The head and what is on it: its mesh, eyes, mouth, skin, wrinkles, clothes and glasses, and what they are made of."""
