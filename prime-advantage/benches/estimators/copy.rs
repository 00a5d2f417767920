//! The least a call can cost: its input read once, its output written once.

/// Numbers that stay in the first-level cache between being read and being written.
const PIECE: usize = 1024;

/// Into memory that is there already. Where several columns are read, their sum is written.
pub fn overwrite(columns: &[&[f32]], outputs: &mut [Vec<f32>]) {
    let count = outputs[0].len();
    let mut piece = [0.0; PIECE];
    for start in (0..count).step_by(PIECE) {
        let range = start..count.min(start + PIECE);
        let read = read(columns, range.clone(), &mut piece);
        for output in &mut *outputs {
            output[range.clone()].copy_from_slice(read);
        }
    }
}

/// Into memory from the allocator, as a call that returns its result has to.
pub fn fresh(columns: &[&[f32]], outputs: usize, count: usize) -> Vec<Vec<f32>> {
    let mut outputs: Vec<_> = (0..outputs).map(|_| Vec::with_capacity(count)).collect();
    let mut piece = [0.0; PIECE];
    for start in (0..count).step_by(PIECE) {
        let read = read(columns, start..count.min(start + PIECE), &mut piece);
        for output in &mut outputs {
            output.extend_from_slice(read);
        }
    }
    outputs
}

fn read<'p>(
    columns: &[&'p [f32]],
    range: std::ops::Range<usize>,
    piece: &'p mut [f32; PIECE],
) -> &'p [f32] {
    let Some((first, others)) = columns.split_first() else {
        return &piece[..range.len()];
    };
    if others.is_empty() {
        return &first[range];
    }
    let sum = &mut piece[..range.len()];
    sum.copy_from_slice(&first[range.clone()]);
    for other in others {
        for (sum, x) in sum.iter_mut().zip(&other[range.clone()]) {
            *sum += x;
        }
    }
    sum
}
