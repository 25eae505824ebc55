"""What things cost. Each module is a command that prints a table: `python -m benchmarks.NAME`.

| module | tells |
|---|---|
| `completion` | what a completion costs beside its peers, and its parts |
| `faces` | which face finder to ship: what each finds, turned faces too, and how fast |
| `frames` | how well a masked face is found and framed |
| `around` | the pack's import, and what else is around the model |
| `load` | the pack under load in a real ComfyUI |
| `training` `portraits` | what our trainer is worth; what a rendered portrait costs |
| `growth` | how the cost grows with sizes, faces and samples |
| `ceiling` `layers` | the machine's own best, and why the networks stay below it |
| `precision` `steps` | what half precision changes; what each kept step brings |
| `measuring/` | clocks, cases, the peers that ours is held against, tables |
"""
