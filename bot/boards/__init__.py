"""Several jobs in one message: who shares it, how it is drawn, and what its clicks mean."""
