"""The portrait studio: rendered faces for any emotion, with exact labels.

Where things are:

    the head          assets, mesh, subdivide; scene has the names that all of them share
    who               identity: hair_look, hairline, hairstyles, scalp_hair, facial_hair (hair gathers these five),
                      skin, eyes, mouth, cloth, glasses
    what it does      recipe, expression, wrinkles
    how it is seen    camera, light, background, photo
    how it is drawn   sitter (geometry), render (pixels): raster, strands, shade, radiance;
                      compiled, vectors, curves, noise (arithmetic)
    the studio        portrait (one picture, checked by check), studio, workers, sheet, command
"""
