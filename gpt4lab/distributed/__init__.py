"""The toy model spread over real processes: torch.distributed on one machine, small enough to watch.

    from gpt4lab.distributed.workers import Workers

    with Workers(2) as crew:
        report = crew.run("tensor")     # also: pipeline, data, zero1, fsdp, tensor+fsdp, experts, waiting, hand
    report.losses, report.checks    # rows of a table; bytes and memory against the formulas

`cluster` builds layouts of thousands of GPUs without any: torch's fake process group on its meta device. The same
demos run under torchrun (`torchrun --nproc-per-node 2 -m gpt4lab.distributed tensor`). All need the extra
`gpt4lab[live]`; nothing is imported here, so that a worker can set its environment before torch reads it.
"""
