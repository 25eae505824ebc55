"""Networks that judge what is drawn: φ and Q, one taught on photographs, D that looks through it, and a teacher."""
