# Strangers' packages: test_third_parties.py runs their tests where their wheels are installed.
collect_ignore_glob = ["sojourn-*"]
