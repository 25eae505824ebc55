"""Completed clips, held against rendered ones whose every frame is known.

| module | holds |
|---|---|
| `clip` | a clip as `train clip` renders it: its frames, and what each shows |
| `steadiness` | `train steadiness`: how much steadier or less steady than the truth, and how near to it over time |
"""
