"""The model's frame: the aligned square that the networks see, and where a face lies in it. No tensors here."""

# Shares of the frame's side. "left" and "right" are as seen in the picture.
FRAME = {"left eye": (0.36, 0.365), "right eye": (0.64, 0.365), "mouth": (0.5, 0.675), "chin": (0.5, 0.885)}

# From the face finder's box to the frame: medians over 161 photographs and 91 renderings whose frame is known, shown at
# three sizes. Faces scatter around them by 9 % of the side across and 0.02 of the box up and down.
FRAME_PER_BOX = 1.27  # side of the frame, in sides of the box
FRAME_BELOW_BOX = 0.057  # how far the frame's centre lies below the box's, in sides of the box
