"""One step of training: networks, objective and optimizers, the noise of a step, and what several processes share."""
