"""Where faces are: two networks that see them, looks at a picture through them, and the frame that they lead to."""
