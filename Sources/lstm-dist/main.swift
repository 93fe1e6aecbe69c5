print("lstm-dist")
