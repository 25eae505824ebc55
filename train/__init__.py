"""The trainer and what feeds and measures it. Imports `ecgan_core`, nothing of ComfyUI.

| module | holds |
|---|---|
| `cli` `config` | `python -m train …`; what a run is |
| `fit` `trainer` `objective` | a run in its folder; one step of it; what it minimises |
| `networks` `features` | E, G, D, Q and φ of a config; φ and Q's warm-up |
| `runs` `state` `export` | a run's folder, the state that it goes on from, the model that it leaves |
| `status` `grid` `chart` | what a run shows: a line, faces, curves |
| `devices` `processes` `chance` `interrupt` | precision; several processes as one; random numbers; being stopped |
| `data/` `evaluation/` `portraits/` | data sets; measuring; the portrait studio |
"""
