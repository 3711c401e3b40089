"""Study: captions of digits through gated cross-attention."""
