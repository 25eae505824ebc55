"""Files: safetensors believed only where they fit, written whole or not at all; checkpoints and latents in them."""
