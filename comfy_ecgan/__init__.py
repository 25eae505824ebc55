"""The host adapter: what stands between ComfyUI's sockets, memory and progress, and the model in `ecgan_core`.

| module | holds |
|---|---|
| `sockets` | the types that travel between our nodes |
| `pictures` | IMAGE and MASK to and from the core's tensors, with a sentence for each that does not fit |
| `folders/` | files in ComfyUI's model folders: listed, found, told from their other versions, and named |
| `models` | the folder `models/ecgan`, and a checkpoint loaded under ComfyUI's memory management |
| `progress` | progress bar, preview and interrupt |
| `portraits` | what the nodes do to faces: complete, shift, sweep, build a vector from them |
| `emotions` | what they do with emotions: mix them, read them from a face |
| `nodes/` | the nodes: a schema and a short `execute` each |
| `chart` | the bar chart of what was read |
| `holes` | masks over a part of the face |
| `vector_files` | the folder `models/ecgan_vectors` |
"""
