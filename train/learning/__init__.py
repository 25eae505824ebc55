"""One step of training: networks, losses and their judges, objective, optimizers, chance, and what processes share."""
