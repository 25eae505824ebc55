"""Folders and names of files in ComfyUI: what lies in its model folders, and what a new file there may be called."""
