"""The figures of a trained model: a picture and a table each."""
