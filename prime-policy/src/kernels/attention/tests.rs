//! The kernels against attention by its definition in f64, on every instruction set that this processor has.

use proptest::prelude::*;
use pulp::Arch;

use super::backward::backward_on;
use super::decode::decode_on;
use super::forward::forward_on;
use super::share::PARALLEL;
use super::{AttentionShape, Ragged, Taped};

/// Numbers in −2..2 that look random.
fn noise(seed: u64, len: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1 << 22) as f32 - 2.0
        })
        .collect()
}

fn archs() -> Vec<Arch> {
    #[allow(unused_mut)]
    let mut all = vec![Arch::Scalar, Arch::new()];
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        all.push(Arch::V3(simd));
    }
    all
}

/// Inputs of a whole-sequence attention, and a gradient of its output. cos and sin are unrelated numbers, so that a
/// gradient through the inverse rotation instead of the transposed one is found out.
struct Case {
    shape: AttentionShape,
    ragged: Ragged,
    qkv: [Vec<f32>; 3],
    grad: Vec<f32>,
    rope: [Vec<f32>; 2],
}

impl Case {
    fn new((shape, ragged): (AttentionShape, Ragged)) -> Self {
        let AttentionShape {
            heads,
            kv_heads,
            head_dim,
            ..
        } = shape;
        let rows = |seed, heads| noise(seed, ragged.tokens() * heads * head_dim);
        let table = |seed| noise(seed, ragged.longest() * head_dim / 2);
        Self {
            shape,
            ragged: ragged.clone(),
            qkv: [rows(1, heads), rows(2, kv_heads), rows(3, kv_heads)],
            grad: rows(4, heads),
            rope: [table(5), table(6)],
        }
    }

    /// One of its sequences.
    fn alone(&self, rows: &std::ops::Range<usize>) -> Self {
        let tokens = self.ragged.tokens();
        let part = |x: &Vec<f32>| {
            let width = x.len() / tokens;
            x[rows.start * width..rows.end * width].to_vec()
        };
        Self {
            shape: self.shape,
            ragged: Ragged::even(1, rows.len()),
            qkv: self.qkv.each_ref().map(part),
            grad: part(&self.grad),
            rope: self.rope.clone(),
        }
    }

    fn qkv(&self) -> [&[f32]; 3] {
        self.qkv.each_ref().map(Vec::as_slice)
    }

    fn rope(&self) -> [&[f32]; 2] {
        self.rope.each_ref().map(Vec::as_slice)
    }

    /// Output, and gradients of q, k and v.
    fn run(&self, arch: Arch) -> [Vec<f32>; 4] {
        let (out, normalisers) =
            forward_on(arch, self.shape, &self.ragged, self.qkv(), self.rope());
        let taped = Taped {
            qkv: self.qkv(),
            out: &out,
            normalisers: &normalisers,
        };
        let [dq, dk, dv] = backward_on(
            arch,
            self.shape,
            &self.ragged,
            taped,
            &self.grad,
            self.rope(),
        );
        [out, dq, dk, dv]
    }

    /// The same by the definition.
    fn reference(&self) -> [Vec<f64>; 4] {
        let AttentionShape {
            heads,
            kv_heads,
            head_dim,
            ..
        } = self.shape;
        let scale = (head_dim as f64).sqrt().recip();
        let [q, k, v] = self.qkv();
        let mut out = vec![0.0; q.len()];
        let [mut dq, mut dk, mut dv] = [q, k, v].map(|x| vec![0.0; x.len()]);
        let places = self.ragged.all().flat_map(|rows| {
            let first = rows.start;
            itertools::iproduct!([first], 0..heads, 0..rows.len())
        });
        for (first, h, i) in places {
            let query = ((first + i) * heads + h) * head_dim;
            let key = |j| ((first + j) * kv_heads + h * kv_heads / heads) * head_dim;
            let rotated = self.rotate(i, &q[query..], 1.0);
            let keys: Vec<usize> = (0..=i)
                .filter(|j| self.shape.window.is_none_or(|window| i - j < window))
                .collect();
            let rotated_keys: Vec<Vec<f64>> = keys
                .iter()
                .map(|&j| self.rotate(j, &k[key(j)..], 1.0))
                .collect();
            let weights: Vec<f64> = rotated_keys
                .iter()
                .map(|key| (scale * dot(&rotated, key)).exp())
                .collect();
            let total: f64 = weights.iter().sum();
            let grad: Vec<f64> = widen(&self.grad[query..query + head_dim]);
            let d_probs: Vec<f64> = keys
                .iter()
                .map(|&j| dot(&grad, &widen(&v[key(j)..key(j) + head_dim])))
                .collect();
            let mean: f64 = weights
                .iter()
                .zip(&d_probs)
                .map(|(w, d)| w / total * d)
                .sum();
            let mut d_rotated = vec![0.0; head_dim];
            for (n, &j) in keys.iter().enumerate() {
                let prob = weights[n] / total;
                let d_score = prob * (d_probs[n] - mean) * scale;
                let d_key: Vec<f32> = rotated.iter().map(|x| (d_score * x) as f32).collect();
                let d_key = self.rotate(j, &d_key, -1.0);
                for d in 0..head_dim {
                    out[query + d] += prob * f64::from(v[key(j) + d]);
                    dv[key(j) + d] += prob * grad[d];
                    dk[key(j) + d] += d_key[d];
                    d_rotated[d] += (d_score * rotated_keys[n][d]) as f32;
                }
            }
            dq[query..query + head_dim].copy_from_slice(&self.rotate(i, &d_rotated, -1.0));
        }
        [out, dq, dk, dv]
    }

    /// One head rotated to `position`, or with sign −1 what the transposed rotation makes of it.
    fn rotate(&self, position: usize, x: &[f32], sign: f64) -> Vec<f64> {
        let half = self.shape.head_dim / 2;
        let at = |table: &[f32], d: usize| f64::from(table[position * half + d % half]);
        (0..2 * half)
            .map(|d| {
                let [cos, sin] = self.rope().map(|table| at(table, d));
                let (other, sign) = if d < half {
                    (d + half, -sign)
                } else {
                    (d - half, sign)
                };
                f64::from(x[d]) * cos + sign * f64::from(x[other]) * sin
            })
            .collect()
    }

    fn check(&self) -> Result<(), String> {
        let expected = self.reference();
        for arch in archs() {
            for ((name, ours), expected) in ["out", "dq", "dk", "dv"]
                .iter()
                .zip(self.run(arch))
                .zip(&expected)
            {
                close(&ours, expected)
                    .map_err(|e| format!("{arch:?} {:?} {name}: {e}", self.shape))?;
            }
        }
        Ok(())
    }
}

fn widen(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn close(ours: &[f32], expected: &[f64]) -> Result<(), String> {
    if ours.len() != expected.len() {
        return Err(format!(
            "{} elements instead of {}",
            ours.len(),
            expected.len()
        ));
    }
    for (i, (&a, &b)) in ours.iter().zip(expected).enumerate() {
        let error = (f64::from(a) - b).abs();
        if error.is_nan() || error > 3e-5 * b.abs().max(1.0) {
            return Err(format!("element {i}: {a} instead of {b}"));
        }
    }
    Ok(())
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

fn shape(
    [batch, time, group, kv_heads, head_dim]: [usize; 5],
    window: Option<usize>,
) -> (AttentionShape, Ragged) {
    let shape = AttentionShape {
        heads: group * kv_heads,
        kv_heads,
        head_dim,
        window,
    };
    (shape, Ragged::even(batch, time))
}

/// Sizes around those of tiles (2, 8, 16, 32 columns; 4 rows) and of chunks of queries (128).
#[test]
fn attention_follows_its_definition_around_the_sizes_of_blocks() {
    for (sizes, window) in [
        ([1, 1, 1, 1, 2], None),
        ([2, 4, 1, 2, 16], None),
        ([1, 5, 7, 1, 10], Some(2)),
        ([1, 15, 2, 1, 30], None),
        ([1, 16, 1, 1, 64], Some(16)),
        ([1, 17, 3, 1, 34], Some(17)),
        ([2, 31, 1, 2, 18], Some(3)),
        ([1, 33, 5, 1, 80], Some(4)),
        ([1, 74, 1, 4, 16], None),
        ([1, 127, 1, 1, 6], Some(5)),
        ([1, 128, 1, 1, 16], None),
        ([1, 129, 2, 1, 8], None),
        ([1, 129, 1, 1, 20], Some(128)),
        ([1, 260, 1, 1, 4], Some(129)),
        ([1, 261, 1, 1, 12], None),
    ] {
        Case::new(shape(sizes, window)).check().unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn attention_follows_its_definition(
        batch in 1_usize..3,
        time in 1_usize..70,
        group in 1_usize..8,
        kv_heads in 1_usize..3,
        half in 1_usize..24,
        window in prop::option::of(1_usize..80),
    ) {
        let case = Case::new(shape([batch, time, group, kv_heads, 2 * half], window));
        prop_assert_eq!(case.check(), Ok(()));
    }

    #[test]
    fn sequences_of_different_lengths_follow_the_definition_and_the_bits_of_each_alone(
        lengths in prop::collection::vec(1_usize..150, 1..6),
        group in 1_usize..4,
        kv_heads in 1_usize..3,
        half in 1_usize..12,
        window in prop::option::of(1_usize..80),
    ) {
        let (sizes, _) = shape([1, 1, group, kv_heads, 2 * half], window);
        let case = Case::new((sizes, Ragged::new(lengths)));
        prop_assert_eq!(case.check(), Ok(()));
        let together = case.run(Arch::new());
        for rows in case.ragged.all() {
            let alone = case.alone(&rows).run(Arch::new());
            for (all, alone) in together.iter().zip(&alone) {
                let width = all.len() / case.ragged.tokens();
                let part = &all[rows.start * width..rows.end * width];
                prop_assert_eq!(bits(part), bits(alone));
            }
        }
    }

    #[test]
    fn decoding_is_the_last_row_of_the_whole_sequence(
        lengths in prop::collection::vec(0_usize..45, 1..4),
        room in 0_usize..3,
        group in 1_usize..8,
        kv_heads in 1_usize..3,
        half in 1_usize..24,
        window in prop::option::of(1_usize..50),
    ) {
        let shape = |time| shape([1, time, group, kv_heads, 2 * half], window);
        prop_assert_eq!(check_decode(&lengths, room, &shape), Ok(()));
    }
}

/// Decodes the last tokens of sequences of `lengths[row] + 1` tokens over caches of the tokens before them.
fn check_decode(
    lengths: &[usize],
    room: usize,
    shape: &dyn Fn(usize) -> (AttentionShape, Ragged),
) -> Result<(), String> {
    let (all, _) = shape(1);
    let AttentionShape {
        heads,
        kv_heads,
        head_dim,
        ..
    } = all;
    let (half, rows) = (head_dim / 2, lengths.len());
    let capacity = lengths.iter().max().map_or(0, |longest| longest + 1) + room;
    let unused = noise(9, (rows + 1) * kv_heads * capacity * head_dim);
    let [mut keys, mut values] = [unused.clone(), unused];
    let mut qkv = [vec![], vec![], vec![]];
    let mut rope = [vec![], vec![]];
    let mut expected = vec![];
    for (row, &length) in lengths.iter().enumerate() {
        let case = Case::new(shape(length + 1));
        for (all, (x, heads)) in qkv
            .iter_mut()
            .zip(case.qkv().into_iter().zip([heads, kv_heads, kv_heads]))
        {
            all.extend(&x[length * heads * head_dim..]);
        }
        for (all, table) in rope.iter_mut().zip(case.rope()) {
            all.extend(&table[length * half..]);
        }
        for (head, slot, d) in itertools::iproduct!(0..kv_heads, 0..length, 0..head_dim) {
            let to = ((row * kv_heads + head) * capacity + slot) * head_dim;
            let from = (slot * kv_heads + head) * head_dim;
            let rotated = case.rotate(slot, &case.qkv[1][from..], 1.0);
            keys[to + d] = rotated[d] as f32;
            values[to + d] = case.qkv[2][from + d];
        }
        expected.extend_from_slice(&case.reference()[0][length * heads * head_dim..]);
    }
    for arch in archs() {
        let [mut new_keys, mut new_values] = [keys.clone(), values.clone()];
        let out = decode_on(
            arch,
            all,
            lengths,
            capacity,
            qkv.each_ref().map(Vec::as_slice),
            rope.each_ref().map(Vec::as_slice),
            [&mut new_keys, &mut new_values],
        );
        close(&out, &expected).map_err(|e| format!("{arch:?} {all:?} {lengths:?}: {e}"))?;
        for (old, new) in [(&keys, &new_keys), (&values, &new_values)] {
            let slots = old.chunks_exact(head_dim).zip(new.chunks_exact(head_dim));
            for (slot, (old, new)) in slots.enumerate() {
                let row = slot / capacity / kv_heads;
                let written = lengths.get(row) == Some(&(slot % capacity));
                if (bits(old) == bits(new)) == written {
                    return Err(format!(
                        "{arch:?}: slot {slot} of the cache, written: {written}"
                    ));
                }
            }
        }
    }
    Ok(())
}

/// What `f` returns in a pool of each size from 1 to 3.
fn in_pools<T: Send>(f: impl Fn() -> T + Sync) -> Vec<T> {
    (1..4)
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(&f)
        })
        .collect()
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let case = Case::new(shape([3, 90, 3, 2, 18], None));
    assert!(case.shape.work(&case.ragged) >= PARALLEL);
    let results = in_pools(|| case.run(Arch::new()).map(|x| bits(&x)));
    assert!(results.iter().all(|result| *result == results[0]));

    let lengths: Vec<usize> = (100..130).collect();
    let (capacity, (shape, _)) = (130, shape([1, 1, 4, 3, 18], None));
    let [q, k, v] = [(1, 12), (2, 3), (3, 3)].map(|(seed, heads)| noise(seed, 30 * heads * 18));
    let [cos, sin] = [4, 5].map(|seed| noise(seed, 30 * 9));
    let [keys, values] = [6, 7].map(|seed| noise(seed, 30 * 3 * capacity * 18));
    assert!(lengths.iter().sum::<usize>() * 12 * 18 >= PARALLEL);
    let results = in_pools(|| {
        let [mut keys, mut values] = [keys.clone(), values.clone()];
        let cache: [&mut [f32]; 2] = [&mut keys, &mut values];
        bits(&decode_on(
            Arch::new(),
            shape,
            &lengths,
            capacity,
            [&q, &k, &v],
            [&cos, &sin],
            cache,
        ))
    });
    assert!(results.iter().all(|result| *result == results[0]));
}

/// Position `at` of every sequence in a `[batch·time, heads·head_dim]` matrix.
fn position(x: &[f32], time: usize, at: usize) -> Vec<f32> {
    let width = x.len() / time;
    x[at * width..(at + 1) * width].to_vec()
}

/// A row's output and the gradient of its query depend on what it sees alone, to the last bit: whatever follows it,
/// NaN included, and however much does.
#[test]
fn what_a_query_does_not_see_changes_no_bit() {
    for window in [None, Some(3), Some(20)] {
        let long = Case::new(shape([1, 77, 2, 1, 18], window));
        let [out, dq, ..] = long.run(Arch::new());
        for cut in [1, 15, 16, 50, 75] {
            let mut broken = Case::new((long.shape, long.ragged.clone()));
            for x in &mut broken.qkv {
                let from = x.len() / 77 * cut;
                x[from..].fill(f32::NAN);
            }
            let mut short = Case::new((long.shape, Ragged::even(1, cut)));
            for (short, long) in short.qkv.iter_mut().zip(&long.qkv) {
                let len = short.len();
                short.copy_from_slice(&long[..len]);
            }
            let len = short.grad.len();
            short.grad.copy_from_slice(&long.grad[..len]);
            for (short, long) in short.rope.iter_mut().zip(&long.rope) {
                let len = short.len();
                short.copy_from_slice(&long[..len]);
            }
            for other in [broken.run(Arch::new()), short.run(Arch::new())] {
                assert_eq!(
                    bits(&other[0][..len]),
                    bits(&out[..len]),
                    "{window:?} {cut}"
                );
                assert_eq!(bits(&other[1][..len]), bits(&dq[..len]), "{window:?} {cut}");
            }
        }
    }
}

/// The gradients of a key and a value depend on the queries that see them alone.
#[test]
fn queries_that_do_not_see_a_key_change_no_bit_of_its_gradients() {
    for window in [None, Some(3), Some(20)] {
        let case = Case::new(shape([1, 77, 2, 1, 18], window));
        let [_, dq, dk, dv] = case.run(Arch::new());
        for bad in [0, 15, 17, 40, 76] {
            let mut broken = Case::new((case.shape, case.ragged.clone()));
            let width = broken.grad.len() / 77;
            broken.grad[bad * width..(bad + 1) * width].fill(f32::NAN);
            let [_, other_dq, other_dk, other_dv] = broken.run(Arch::new());
            for at in 0..77 {
                let sees = case.shape.first_key(bad) <= at && at <= bad;
                for (ours, other) in [(&dk, &other_dk), (&dv, &other_dv)] {
                    let (ours, other) = (position(ours, 77, at), position(other, 77, at));
                    if sees {
                        assert!(other.iter().all(|x| x.is_nan()), "{window:?} {bad} {at}");
                    } else {
                        assert_eq!(bits(&ours), bits(&other), "{window:?} {bad} {at}");
                    }
                }
                if at != bad {
                    let (ours, other) = (position(&dq, 77, at), position(&other_dq, 77, at));
                    assert_eq!(bits(&ours), bits(&other), "{window:?} {bad} {at}");
                }
            }
        }
    }
}

#[test]
fn nan_reaches_every_query_that_sees_it() {
    let mut case = Case::new(shape([1, 40, 1, 1, 18], Some(12)));
    case.qkv[1][18 * 9] = f32::NAN;
    let [out, ..] = case.run(Arch::new());
    for at in 0..40 {
        let nan = position(&out, 40, at).iter().all(|x| x.is_nan());
        assert_eq!(nan, (9..21).contains(&at), "{at}");
    }
}

/// NaN of one sequence stays in it, in whatever order they are worked on.
#[test]
fn nan_does_not_reach_another_sequence() {
    let (sizes, _) = shape([1, 1, 2, 1, 18], None);
    for bad in 0..3 {
        let mut case = Case::new((sizes, Ragged::new([9, 70, 11])));
        let rows = case.ragged.rows(bad);
        for x in case.qkv.iter_mut().chain([&mut case.grad]) {
            let width = x.len() / 90;
            x[rows.start * width..rows.end * width].fill(f32::NAN);
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        for x in pool.unwrap().install(|| case.run(Arch::new())) {
            let width = x.len() / 90;
            for (t, x) in x.chunks_exact(width).enumerate() {
                let nan = x.iter().all(|x| x.is_nan());
                assert_eq!(nan, rows.contains(&t), "{bad} {t}");
            }
        }
    }
}

#[test]
fn large_scores_do_not_overflow() {
    let mut case = Case::new(shape([1, 40, 2, 1, 18], None));
    for x in &mut case.qkv[..2] {
        x.iter_mut().for_each(|x| *x *= 40.0);
    }
    for x in case.run(Arch::new()) {
        assert!(x.iter().all(|x| x.is_finite()));
    }
}
