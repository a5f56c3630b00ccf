"""What is asked: questions, answers and what a model gives them, trials, readings; passages from files."""
