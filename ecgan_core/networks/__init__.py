"""The networks: encoder E, generator G, discriminator D with its emotion head Q, and the blocks they are made of."""
