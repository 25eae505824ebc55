"""A real ComfyUI to drive: its server, its client, its page in a browser, and workflows for it."""
