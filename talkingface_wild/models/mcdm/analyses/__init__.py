"""The paper's analyses of a trained model: Figures 5, 6 and 7, each a picture and a table."""
