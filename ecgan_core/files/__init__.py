"""Files: safetensors believed only where they fit, written whole or not at all; checkpoints and latents in them.

| module | holds |
|---|---|
| `checkpoint` `latents` | a model in one file; completed faces in one file |
| `tensors` | a safetensors file opened, held against its own size, read and written |
| `header` | the JSON at its front, parsed and believed only where it fits |
| `digest` | a digest of its numbers |
| `replacing` `disk` | a file replaced whole or not at all; disks that cannot be written to |
"""
