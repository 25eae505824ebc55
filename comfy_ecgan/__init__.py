"""The host adapter: what stands between ComfyUI's sockets, memory and progress, and the model in `ecgan_core`.

| module | holds |
|---|---|
| `sockets` | the types that travel between our nodes |
| `inputs` | what is connected, held against a node's own schema |
| `pictures` | IMAGE and MASK to and from the core's tensors, with a sentence for each that does not fit |
| `boxes` | face boxes: typed, and from other packs' BOUNDING_BOX wires in all their forms |
| `folders/` | files in ComfyUI's model folders: listed, found, told from their other versions, and named |
| `models` | the folder `models/ecgan`, and a checkpoint loaded under ComfyUI's memory management |
| `progress` `notes` | progress bar, preview and interrupt; what a node did otherwise than asked for, in sentences |
| `portraits` | what the nodes do to faces: complete, shift, sweep, build a vector from them |
| `emotions/` | what they do with emotions: mix them, read them from a face, let them change over time |
| `nodes/` | the nodes: a schema and a short `execute` each |
| `holes` | masks over a part of the face |
| `vector_files` | the folder `models/ecgan_vectors` |
"""
