"""Emotions as data: the set of a model's emotions, their codes, and the vectors between them."""
