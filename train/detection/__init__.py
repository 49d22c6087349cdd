"""Training of face detectors: `python -m train fit --recipe face_detector --data scenes.npz`."""
