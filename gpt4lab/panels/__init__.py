"""The machinery of panels; the panels themselves lie in the chapters.

view, panel      what a panel shows for a scenario, a pure result; controls bound to fields around such a view
curve            the commonest kind, declared: one quantity along one path
drawn            a mechanism drawn, scrubbed step by step
measured         measures when it is moved
training         runs while the reader watches; reading looks into the run
figure           a view without controls
controls         the widgets that a reader moves; setting: which of them a field asks for; band: a guess with its band
verdicts         a verdict's word and sign, and whether it is shown yet
"""
