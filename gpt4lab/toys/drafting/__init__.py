"""Study: speculative decoding, a draft and a target that checks it."""
