"""`train ablations`: variants of a recipe, trained on several seeds, measured alike and put side by side.

| module | holds |
|---|---|
| `recipe` | which variants, which seeds, who they are measured on |
| `ablate` | the order of things: train, measure, tell; the figures of a variant; what was done is not done again |
| `editing` | the ways to move a completed face towards an emotion |
| `disentanglement` | how much of a face changes with its emotion that is not the emotion |
| `table` `picture` | what is printed, and what is looked at |
"""
