"""A class: a teacher's room, pupils without names who predict, and the model's effects beside it.

Plain Python, no Streamlit. `Rooms` holds everything, in memory alone.
"""
