"""The pictures of a batch: where the faces are in each, and which pictures stay as they are."""
