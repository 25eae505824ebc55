"""What the nodes do with emotions themselves: mix them into one, read them from a face, let them change over time.

| module | holds |
|---|---|
| `mixing` | several into one |
| `reading` | which one a face shows |
| `keyframes` | what each frame of an animation or a clip shows, and the frames drawn |
| `chart` | bars of what was read, curves over frames |
"""
