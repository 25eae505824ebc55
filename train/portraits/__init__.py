"""The portrait studio: rendered faces for any emotion, with exact labels.

Where things are:

    kernels/          compiled arithmetic, and what all rooms hand to one another
    head/             the mesh, and what is on it: eyes, mouth, skin, wrinkles, cloth, glasses
    hair/             looks, hairlines, styles, strands
    picture/          camera, light, background; raster, shade, photo
    who, and how      identity, expression; sitter (geometry), render (pixels)
    the studio        recipe, portrait (one picture, checked by check), clip, studio, workers, sheet, command
"""
