"""Small live models in torch that show at toy scale what a claim says about the large one.

Import the module that you need (`corpus`, `transformer`, `moe`, `training`, `experts`, `scaling`, `facts`, `flop`,
`decoding`, `speculation`, `engine`, `shapes`, `isoflop`, `exponents`, `context`, `repetition`, `captions`,
`vision`, `canaries`, `memorisation`, `trade_off`, `noise_scale`).
All of them need the extra `gpt4lab[live]`; nothing here knows a widget or a chart.
"""
