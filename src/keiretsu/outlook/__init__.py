"""The years ahead: state, one year, many years, uncertain inputs, ensembles, derivatives ([11]-[13])."""
