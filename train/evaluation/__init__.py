"""Measuring: a checkpoint on people and photographs it never saw, and a data set by how well it can be read.

| module | holds |
|---|---|
| `evaluate` `report` | `train evaluate`: the order of things, the text and the sheets |
| `measure` `metrics` `octaves` | the figures of one kind of hole, and what pictures are compared by |
| `judge` `identity` | networks of our own that measure: what does a face feel, who is it |
| `halfway` | how near a mix is to the same person's mixed picture |
| `brought` | photoreal pictures as artists bring them: filled, moved, grey and dark |
| `photographs` `face_api` | real photographs, and the public networks that judge them |
| `clips/` | completed clips, held against rendered ones |
| `readability` | `train readability`: can a set's emotions be told apart? |
"""
