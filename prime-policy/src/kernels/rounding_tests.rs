//! Attention in bfloat16 against sums by hand that round where it should, and nowhere else.

use burn::tensor::{DType, Device, Distribution, Tensor};

use super::{AttentionShape, Ragged, causal_attention};

/// To the nearest number of eight bits, ties to even.
fn round(x: f32) -> f32 {
    let bits = x.to_bits();
    let half = 0x7fff + (bits >> 16 & 1);
    f32::from_bits((bits + half) & 0xffff_0000)
}

fn numbers(tensor: &Tensor<2>) -> Vec<f32> {
    tensor.clone().into_data().iter::<f32>().collect()
}

/// One head's token (`[head_dim]`), turned and rounded.
fn turned(x: &[f32], cos: &[f32], sin: &[f32]) -> Vec<f32> {
    let half = x.len() / 2;
    let (lo, hi) = x.split_at(half);
    let low = (0..half).map(|d| lo[d] * cos[d] - hi[d] * sin[d]);
    let high = (0..half).map(|d| hi[d] * cos[d] + lo[d] * sin[d]);
    low.chain(high).map(round).collect()
}

fn by_hand(
    shape: AttentionShape,
    [batch, time]: [usize; 2],
    [q, k, v]: [&[f32]; 3],
    [cos, sin]: [&[f32]; 2],
    round_softmax: bool,
) -> Vec<f32> {
    let AttentionShape {
        heads,
        kv_heads,
        head_dim,
        ..
    } = shape;
    let half = head_dim / 2;
    let angles = |t: usize| {
        let at = t * half..(t + 1) * half;
        (&cos[at.clone()], &sin[at])
    };
    let token = |of: &[f32], heads: usize, row: usize, head: usize| {
        let at = (row * heads + head) * head_dim;
        of[at..at + head_dim].to_vec()
    };
    let softened = |x: f32| if round_softmax { round(x) } else { x };
    let mut out = vec![0.0; q.len()];
    for b in 0..batch {
        for h in 0..heads {
            let kv = h / (heads / kv_heads);
            for i in 0..time {
                let (c, s) = angles(i);
                let query = turned(&token(q, heads, b * time + i, h), c, s);
                let seen = shape.first_key(i)..=i;
                let scores: Vec<f32> = seen
                    .clone()
                    .map(|j| {
                        let (c, s) = angles(j);
                        let key = turned(&token(k, kv_heads, b * time + j, kv), c, s);
                        let dot: f32 = query.iter().zip(&key).map(|(a, b)| a * b).sum();
                        softened(round(dot) * shape.scale())
                    })
                    .collect();
                let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let weights = scores.iter().map(|s| softened(softened(s - top).exp()));
                let weights: Vec<f32> = weights.collect();
                let total = softened(weights.iter().sum::<f32>());
                for (j, weight) in seen.zip(weights) {
                    let value = token(v, kv_heads, b * time + j, kv);
                    let to = ((b * time + i) * heads + h) * head_dim;
                    for (out, value) in out[to..to + head_dim].iter_mut().zip(value) {
                        *out += round(weight / total) * value;
                    }
                }
            }
        }
    }
    out.into_iter().map(round).collect()
}

/// Root mean square of a − b, relative to that of b.
fn apart(a: &[f32], b: &[f32]) -> f32 {
    let squares: f32 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    (squares / b.iter().map(|b| b * b).sum::<f32>()).sqrt()
}

#[test]
fn attention_rounds_operands_and_products_but_not_the_softmax() {
    let device = Device::flex();
    device.seed(8);
    for (heads, kv_heads, head_dim, window) in
        [(4, 2, 8, None), (3, 1, 6, Some(9)), (2, 2, 16, None)]
    {
        let shape = AttentionShape {
            heads,
            kv_heads,
            head_dim,
            window,
        };
        let random = |rows: usize, width: usize, deviation: f64| -> Tensor<2> {
            Tensor::random([rows, width], Distribution::Normal(0.0, deviation), &device)
        };
        let (batch, time) = (2, 40);
        let rows = batch * time;
        let [q, k] = [heads, kv_heads].map(|heads| random(rows, heads * head_dim, 1.5));
        let v = random(rows, kv_heads * head_dim, 1.0).cast(DType::BF16);
        let angles = random(time, head_dim / 2, 1.0);
        let (cos, sin) = (angles.clone().cos(), angles.sin());
        let found = causal_attention(
            shape,
            &Ragged::even(batch, time),
            q.clone(),
            k.clone(),
            v.clone(),
            cos.clone(),
            sin.clone(),
        );
        assert_eq!(found.dtype(), DType::BF16);
        let [q, k, v, cos, sin] = [&q, &k, &v, &cos, &sin].map(numbers);
        let expected = |round_softmax| {
            by_hand(
                shape,
                [batch, time],
                [&q, &k, &v],
                [&cos, &sin],
                round_softmax,
            )
        };
        let (right, wrong) = (expected(false), expected(true));
        let (off, further) = (
            apart(&numbers(&found), &right),
            apart(&numbers(&found), &wrong),
        );
        // Other orders of summation fall on other sides of a few boundaries.
        assert!(off < 5e-4, "{off}");
        assert!(further > 2e-3, "{further}");
    }
}
