"""Small live models in torch that show at toy scale what a claim says about the large one.

`core` has the text, the model, its training and the frame of a study; each other folder is a study, or what belongs to
one subject. `python -m gpt4lab.toys` lists the studies. All of it needs the extra `gpt4lab[live]`, but for the laws and
fits that say otherwise; nothing here knows a widget or a chart.
"""
