"""`train check`: what is wrong with a data set, before an hour is spent on it.

| module | holds |
|---|---|
| `census` `looks` | every picture counted, and looked at |
| `finding` `findings` `label_findings` | what may be wrong, with what to do |
| `report` `hole_sheet` | the text, and the sheet with holes drawn |
"""
