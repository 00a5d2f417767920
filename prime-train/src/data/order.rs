//! Which row comes at which place: every row once an epoch, in a fresh order; entries by their weights.
//!
//! A place is a function of its number and the seed alone, so that a run that goes on finds the rows that it would have found.

use std::sync::{Arc, Mutex, PoisonError};

use crate::rng::Stream;

const EPOCH_ORDER: u64 = 0x65_706f_6368;
const MIX: u64 = 0x6d_6978;
/// Places over which the shares of entries are exact to a row.
const BLOCK: u64 = 1024;

/// The last thing computed for a number that is asked for many times in a row.
#[derive(Debug)]
struct Last<T>(Mutex<Option<(u64, Arc<[T]>)>>);

impl<T> Last<T> {
    fn new() -> Self {
        Self(Mutex::new(None))
    }

    fn get(&self, number: u64, make: impl FnOnce() -> Vec<T>) -> Arc<[T]> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((of, made)) if *of == number => made.clone(),
            _ => {
                let made: Arc<[T]> = make().into();
                *last = Some((number, made.clone()));
                made
            }
        }
    }
}

/// The order of an entry's rows.
#[derive(Debug)]
pub(super) struct Order {
    seed: u64,
    entry: u64,
    rows: u32,
    epoch: Last<u32>,
}

impl Order {
    /// The order of the `rows` rows of an entry, counted from 0.
    pub(super) fn new(seed: u64, entry: usize, rows: u32) -> Self {
        Self {
            seed,
            entry: entry as u64,
            rows,
            epoch: Last::new(),
        }
    }

    /// The row at a place; `None` if there are no rows. A new order is made once an epoch.
    pub(super) fn row(&self, place: u64) -> Option<usize> {
        let rows = u64::from(self.rows);
        let epoch = place.checked_div(rows)?;
        let order = self.epoch.get(epoch, || {
            let mut order: Vec<u32> = (0..self.rows).collect();
            Stream::new([self.seed, EPOCH_ORDER, epoch, self.entry]).shuffle(&mut order);
            order
        });
        order.get((place % rows) as usize).map(|&row| row as usize)
    }
}

/// Whose turn it is among entries with weights.
#[derive(Debug)]
pub(super) struct Mix {
    seed: u64,
    /// Sums of the entries' shares up to each one; the last is 1.
    up_to: Vec<f64>,
    block: Last<u16>,
}

impl Mix {
    /// A mix by weights, each above 0.
    pub(super) fn new(seed: u64, weights: &[f64]) -> Self {
        let total: f64 = weights.iter().sum();
        let mut sum = 0.0;
        let mut up_to: Vec<f64> = weights
            .iter()
            .map(|weight| {
                sum += weight;
                sum / total
            })
            .collect();
        if let Some(last) = up_to.last_mut() {
            *last = 1.0;
        }
        Self {
            seed,
            up_to,
            block: Last::new(),
        }
    }

    /// Places of the first `blocks` blocks that belong to an entry.
    fn before(&self, entry: usize, blocks: u64) -> u64 {
        let places = (blocks * BLOCK) as f64;
        let until = |entry: usize| {
            self.up_to
                .get(entry)
                .map_or(0, |share| (share * places) as u64)
        };
        match entry.checked_sub(1) {
            Some(previous) => until(entry) - until(previous),
            None => until(entry),
        }
    }

    /// The entry at a place, and the number of its places before this one. Over every 1,024 places each entry has its share,
    /// rounded, in a random order.
    pub(super) fn entry(&self, place: u64) -> (usize, u64) {
        if self.up_to.len() <= 1 {
            return (0, place);
        }
        let block = place / BLOCK;
        let entries = self.block.get(block, || {
            let mut entries: Vec<u16> = vec![];
            for entry in 0..self.up_to.len() {
                let times = self.before(entry, block + 1) - self.before(entry, block);
                entries.extend((0..times).map(|_| entry as u16));
            }
            Stream::new([self.seed, MIX, block, 0]).shuffle(&mut entries);
            entries
        });
        let at = (place % BLOCK) as usize;
        let entry = entries.get(at).copied().unwrap_or(0);
        let here = entries
            .iter()
            .take(at)
            .filter(|&&other| other == entry)
            .count();
        let entry = usize::from(entry);
        (entry, self.before(entry, block) + here as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_comes_once_an_epoch_and_epochs_differ() {
        let order = Order::new(7, 0, 50);
        let epoch = |number: u64| -> Vec<usize> {
            (0..50)
                .map(|at| order.row(50 * number + at).unwrap())
                .collect()
        };
        let (first, second) = (epoch(0), epoch(1));
        for rows in [&first, &second] {
            let mut sorted = rows.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..50).collect::<Vec<_>>());
        }
        assert_ne!(first, second);
        assert_eq!(epoch(0), first, "asked for again");
        assert_ne!(
            (0..50)
                .map(|at| Order::new(7, 1, 50).row(at).unwrap())
                .collect::<Vec<_>>(),
            first
        );
        assert_eq!(Order::new(7, 0, 0).row(3), None);
    }

    /// As it was when every place shuffled all rows anew: runs go on with the rows that they would have had.
    #[test]
    fn the_order_of_one_entry_is_the_shuffle_of_its_epoch() {
        let order = Order::new(3, 0, 20);
        for place in [0, 19, 20, 57] {
            let mut rows: Vec<usize> = (0..20).collect();
            Stream::new([3, 0x65_706f_6368, place / 20, 0]).shuffle(&mut rows);
            assert_eq!(order.row(place), Some(rows[(place % 20) as usize]));
        }
    }

    #[test]
    fn entries_have_their_shares_and_no_place_is_left_out() {
        let weights = [1.0, 2.5, 0.1];
        let mix = Mix::new(5, &weights);
        let mut counts = [0u64; 3];
        for place in 0..10 * BLOCK {
            let (entry, number) = mix.entry(place);
            assert_eq!(number, counts[entry], "place {place} of entry {entry}");
            counts[entry] += 1;
            if (place + 1) % BLOCK == 0 {
                for (count, weight) in counts.iter().zip(weights) {
                    let share = (place + 1) as f64 * weight / 3.6;
                    assert!((*count as f64 - share).abs() <= 1.0, "{count} for {share}");
                }
            }
        }
        assert_eq!(mix.entry(17), mix.entry(17));
        assert_eq!(Mix::new(5, &[3.0]).entry(99), (0, 99));
    }
}
