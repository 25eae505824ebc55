"""Data sets: where labelled pictures come from, what is wrong with them, and batches of them.

| module | holds |
|---|---|
| `sources/` | the names and labels of folders, tables, archives and Hub sets |
| `pictures` `formats` `depth` | one picture decoded; which kinds are; one of 16 bits and more |
| `cache` | all of a set decoded, once, in a memory-mapped file |
| `faces` | a split of labelled faces, and what a step draws from it |
| `augment` `light` | small changes to faces and their holes; other light on a face |
| `names` | names of emotions that are almost others |
| `check/` | `train check`: what is wrong with a data set |
| `aligned` | `train faces`: a set of aligned faces, made from photographs as they are |
"""
