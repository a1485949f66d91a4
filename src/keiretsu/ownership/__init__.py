"""Who owns whom, who controls whom, and whose profit prices look after ([1], [2])."""
