"""What people choose: utility, choice probabilities, substitution, welfare, inversion and calibration ([3]-[6])."""
