"""A face in its picture: find and frame it, choose its holes, complete it, match its colour, and put it back."""
