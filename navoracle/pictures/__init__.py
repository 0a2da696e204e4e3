"""Pictures of what a fund's slots found and how they ended, for reports; needs the extra `plot`.

`slots` holds what is drawn, `endings` the numbered list of slots that were not posted, `figure` puts the panels of
`panels` and `rows` together, and `files` writes them. Only `figure` and what it uses import matplotlib.
"""
