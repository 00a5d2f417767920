//! Peak memory, measured in a process of its own.

use std::process::Command;

use burn::tensor::{Device, Tensor, activation};
use prime_policy::{
    CausalLm, DecoderConfig, MicroBatchLoss, Sequence, SequenceBatch, accumulate_gradients,
    accumulate_losses, head_loss, token_hidden, token_statistics,
};

const VOCAB: usize = 151_936;
const RESPONSE: usize = 256;
const CHILD: &str = "PRIME_POLICY_HEAD_MEMORY_CHILD";

/// The process's largest resident size so far, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

/// Forward and backward of `what` over `rows` responses; prints how far the peak rose.
fn child(what: &str, tied: bool, rows: usize) {
    let mut config = DecoderConfig::new(VOCAB, 16, 16, 1, 2);
    config.tie_word_embeddings = tied;
    let model = config.init(&Device::flex().autodiff()).unwrap();
    let ids: Vec<u32> = (0..RESPONSE as u32 + 1).map(|t| t * 401).collect();
    let sequence = Sequence {
        prompt: &ids[..1],
        response: &ids[1..],
    };
    let rows = vec![sequence; rows];
    let before = peak();
    match what {
        "log_probs" => accumulate_gradients(&model, &[rows], 1, |model, rows| {
            let batch = SequenceBatch::new(rows, model.vocab_size(), &Device::flex())?;
            let found = token_statistics(model, &batch, 1.0);
            Ok(((found.log_probs + found.entropy).sum(), ()))
        })
        .map(|_| ()),
        _ => accumulate_losses(&model, &[rows], 1, |model, rows| {
            let batch = SequenceBatch::new(rows, model.vocab_size(), &Device::flex())?;
            let hidden = token_hidden(model, &batch);
            let found = head_loss(model, hidden, |_, logits: Tensor<2>| {
                activation::log_softmax(logits, 1)
                    .square()
                    .sum()
                    .div_scalar(1e6)
            });
            Ok(MicroBatchLoss {
                loss: found.loss,
                extra: found.extra,
                statistics: (),
            })
        })
        .map(|_| ()),
    }
    .unwrap();
    println!("rose by {}", peak() - before);
}

fn rise(what: &str, tied: bool, rows: usize) -> usize {
    let test = "memory::a_loss_over_a_large_vocabulary_stays_far_below_its_logits";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", test])
        .env(CHILD, format!("{what} {tied} {rows}"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&child.stdout);
    let found = text.lines().find_map(|line| line.split_once("rose by "));
    let Some((_, bytes)) = found else {
        panic!("{text}\n{}", String::from_utf8_lossy(&child.stderr));
    };
    bytes.trim().parse().unwrap()
}

#[test]
fn a_loss_over_a_large_vocabulary_stays_far_below_its_logits() {
    if let Ok(given) = std::env::var(CHILD) {
        let given: Vec<&str> = given.split(' ').collect();
        return child(given[0], given[1] == "true", given[2].parse().unwrap());
    }
    // The gradients of embedding and head are 10 MB each, a tile of logits is 16 MiB. The loss of the whole distribution
    // is made of burn's own operations, each of which holds another chunk of logits until that chunk is done.
    for (what, tied, rows, most) in [
        ("log_probs", true, 8, 200_000_000),
        ("log_probs", false, 8, 200_000_000),
        ("all_actions", false, 4, 200_000_000),
    ] {
        let rose = rise(what, tied, rows);
        let naive = rows * RESPONSE * VOCAB * 4;
        assert!(
            rose < most && rose < naive / 3,
            "{what}, tied {tied}: {rose} bytes; all logits at once are {naive}"
        );
        eprintln!("{what}, tied {tied}: the peak rose by {rose} bytes of {naive}");
    }
}
