"""What generators are told: latents, features of sound and pictures, drawn landmarks, crops."""
