"""The trainer and what feeds and measures it. Imports `ecgan_core`, nothing of ComfyUI.

| module | holds |
|---|---|
| `cli` `config` | `python -m train …`; what a run is |
| `make` `stages` `card` | from nothing to a measured model; what is trained after what; what the model says of itself |
| `fit` `export` | a run from its start to its end; the model that it leaves |
| `recipe_tree` `unique_keys` | what a recipe's YAML says, and dataclasses made of it; no key may be there twice |
| `mixtures` | faces halfway between two emotions, and their names |
| `cache_folder` | where what can be made again is kept |
| `learning/` | one step: networks, losses, objective, optimizers, chance, devices and processes; its `judges/` |
| `runs/` | a run's folder: the states that it goes on from, and what it shows |
| `data/` `evaluation/` `portraits/` | data sets; measuring; the portrait studio |
| `ablations/` | variants of a recipe, trained, measured and put side by side |
"""
