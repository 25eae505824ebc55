"""The head and what is on it: how it is held, its mesh, eyes, mouth, skin, wrinkles, clothes, glasses, their matter."""
