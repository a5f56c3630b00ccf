"""The page. It computes nothing: it reads the state, calls the runner and draws what comes back."""
