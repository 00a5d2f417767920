"""Loads a model folder of any family written by prime-policy into transformers and decodes a prompt greedily.

    pip install torch transformers
    python benchmarks/check_transformers.py runs/NAME/checkpoints/step-000040/policy '7*83+9…='

The line printed must equal `cargo xtask generate --model FOLDER --prompt … --set sampling.temperature=1e-4`.
prime-policy/tests/fixtures/check_folders.py compares the logits of a model of every family.
"""

import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, prompt = sys.argv[1:3]
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
tokenizer = AutoTokenizer.from_pretrained(folder)
# Llama and Mistral start a text with a token of its own, Qwen does not.
start = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
ids = torch.tensor([start + tokenizer.encode(prompt, add_special_tokens=False)])
response = model.generate(
    ids,
    attention_mask=torch.ones_like(ids),
    do_sample=False,
    max_new_tokens=256,
    # One id or several, as config.json has them.
    eos_token_id=model.config.eos_token_id,
    pad_token_id=tokenizer.pad_token_id,
)
print(tokenizer.decode(response[0, ids.shape[1] :], skip_special_tokens=True))
