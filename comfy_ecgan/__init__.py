"""The host adapter: what stands between ComfyUI's sockets, memory and progress, and the model in `ecgan_core`.

| module | holds |
|---|---|
| `sockets` | the types that travel between our nodes |
| `pictures` | IMAGE and MASK to and from the core's tensors, with a sentence for each that does not fit |
| `models` | the folder `models/ecgan`, and a checkpoint loaded under ComfyUI's memory management |
| `progress` | progress bar, preview and interrupt |
| `portraits` | what the nodes do: complete, shift, build a vector |
"""
