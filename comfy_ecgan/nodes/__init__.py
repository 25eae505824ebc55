"""The nodes: a schema and a short `execute` each.

| module | holds |
|---|---|
| `complete` | Load EC-GAN Model, Complete Masked Face |
| `emotions` | Shift Emotion, Mix Emotions, Read Emotion |
| `animation` | Emotion Sweep, Emotion Keyframes |
| `vectors` | Build, Save and Load Emotion Vector |
| `faces` | Face Hole |
| `common` | the inputs that several of them have |
"""
