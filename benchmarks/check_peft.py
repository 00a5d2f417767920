"""Holds an adapter folder written by prime-train against peft: base + adapter give the logits of the merged folder.

    pip install torch transformers peft
    cargo xtask merge --model RUN/checkpoints/step-000004/policy --out MERGED
    python benchmarks/check_peft.py RUN/checkpoints/step-000004/policy MERGED

The base is the one that the adapter names. Exits with 1 if any of 4096 logits differs by more than 1e-4, or if the
adapter changes nothing.
"""

import sys

import torch
from peft import AutoPeftModelForCausalLM, PeftConfig
from transformers import AutoModelForCausalLM

adapter, merged = sys.argv[1:3]
base = AutoModelForCausalLM.from_pretrained(PeftConfig.from_pretrained(adapter).base_model_name_or_path)
vocab = base.config.vocab_size
torch.manual_seed(0)
ids = torch.randint(0, vocab, (4, max(1, 1024 // vocab)))
with torch.no_grad():
    of_base = base(ids).logits
    of_merged = AutoModelForCausalLM.from_pretrained(merged)(ids).logits
    of_adapter = AutoPeftModelForCausalLM.from_pretrained(adapter)(ids).logits
difference = (of_adapter - of_merged).abs().max().item()
change = (of_adapter - of_base).abs().max().item()
print(f"adapter in peft against our merged folder: {difference:.2e}; against the base: {change:.2e}")
sys.exit(difference > 1e-4 or change < 1e-3)
