"""Data sets: where labelled pictures come from, what is wrong with them, and batches of them.

| module | holds |
|---|---|
| `sources/` | the names and labels of folders, tables, archives and Hub sets |
| `pictures` `cache` | one picture decoded; all of a set, once, in a memory-mapped file |
| `faces` | a split of labelled faces, and what a step draws from it |
| `augment` | small changes to faces and their holes |
| `check` | `train check`: `census` and `looks` gather, `findings` judge, `hole_sheet` shows |
"""
