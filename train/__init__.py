"""The trainer: data sets, the objective, `fit`, `evaluate`, `export`. Imports `ecgan_core`, nothing of ComfyUI."""
