"""A face in its picture: find and frame it, choose its holes, complete it, match its colour, and put it back.

| module | holds |
|---|---|
| `portrait` | the way from pictures and holes to completed pictures, which all of what follows is for |
| `portrait_latent` | completed faces and the pictures that they belong to |
| `finder/` `frame` | where faces are; the aligned square that the networks see of one |
| `choosing` | which of a picture's faces a hole is about |
| `regions` | the shape of a part of the face (mouth, eyes, lower face), laid over a frame |
| `face_hole` | the same where the face has still to be found: what the node Face Hole does |
| `holes` | random holes, to train with |
| `stitch` `masks` | out of the picture and back into it; the masks of a clip without their memory |
| `light` `focus` `texture` | the picture's own light, how sharp it is, and its skin |
| `batch/` | the frames of a clip, and what is to be said about them |
"""
