"""Where labelled pictures come from.

| module | holds |
|---|---|
| `source` | from a source of a recipe to its rows |
| `row` | one labelled picture; `DataError` |
| `folders` `table` `archives` `hub` | each kind of source |
| `tars` | what is whole in an archive, and what is not |
"""
