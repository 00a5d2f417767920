//! A save that stops after any of its steps leaves a whole model.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::{files, scratch, values};
use crate::checkpoint::WeightDtype;
use crate::checkpoint::load_weights;
use crate::checkpoint::names::{INDEX, SINGLE};
use crate::checkpoint::replace::{Found, NewWeights, Step, plan};
use crate::checkpoint::walk::named_tensors;

/// Four tensors, all of whose values say which model they belong to.
#[derive(Module, Debug)]
struct Toy {
    a: Param<Tensor<1>>,
    b: Param<Tensor<2>>,
    c: Param<Tensor<1>>,
    d: Param<Tensor<3>>,
}

fn toy(model: f32) -> Toy {
    let device = Device::flex();
    Toy {
        a: Param::from_tensor(Tensor::full([3], model, &device)),
        b: Param::from_tensor(Tensor::full([2, 2], model, &device)),
        c: Param::from_tensor(Tensor::full([1], model, &device)),
        d: Param::from_tensor(Tensor::full([1, 2, 2], model, &device)),
    }
}

const ONE: &[Range<usize>] = std::slice::from_ref(&(0..4));
const TWO: &[Range<usize>] = &[0..3, 3..4];
const TWO_OTHERWISE: &[Range<usize>] = &[0..1, 1..4];
const FOUR: &[Range<usize>] = &[0..1, 1..2, 2..3, 3..4];

/// Saves a toy, stopping after `stop` steps as a crash would; how many steps there were.
fn save(model: f32, shards: &[Range<usize>], folder: &Path, stop: usize) -> usize {
    let tensors = named_tensors(&toy(model), folder).unwrap();
    let new = NewWeights {
        tensors: &tensors,
        dtype: WeightDtype::F32,
        shards,
    };
    let steps = plan(&Found::in_folder(folder).unwrap(), shards);
    let done = &steps[..steps.len().min(stop)];
    new.carry_out(done, folder).unwrap();
    if let Some(Step::Write(name, _)) = steps.get(stop) {
        // The file that was being written when the crash came.
        fs::write(folder.join(format!(".{name}.x7f.partial")), b"half a").unwrap();
    }
    steps.len()
}

/// Which toy a folder holds; a mixture is none.
fn read(folder: &Path) -> Option<f32> {
    let model = load_weights(toy(-1.0), folder).ok()?;
    let name = f32::from_bits(values(&model)["a"].1[0]);
    assert_eq!(values(&model), values(&toy(name)), "a mixture of models");
    Some(name)
}

fn expected_files(shards: &[Range<usize>]) -> Vec<String> {
    if shards.len() == 1 {
        return vec![SINGLE.to_owned()];
    }
    let count = shards.len();
    let mut all: Vec<String> = (1..=count)
        .map(|number| format!("model-{number:05}-of-{count:05}.safetensors"))
        .collect();
    all.push(INDEX.to_owned());
    all
}

const LAYOUTS: [&[Range<usize>]; 4] = [ONE, TWO, TWO_OTHERWISE, FOUR];

/// Every step at which a save of `new` over `old` may stop, and what the folder holds then.
fn every_crash(
    old: Option<&[Range<usize>]>,
    new: &[Range<usize>],
    mut then: impl FnMut(&Path, Option<f32>),
) {
    for stop in 0.. {
        let place = scratch();
        let folder = place.path();
        if let Some(old) = old {
            save(1.0, old, folder, usize::MAX);
        }
        let steps = save(2.0, new, folder, stop);
        then(folder, read(folder));
        if stop >= steps {
            return;
        }
    }
}

#[test]
fn the_old_model_or_the_new_one_is_whole_after_every_step() {
    let olds = [None, Some(ONE), Some(TWO), Some(TWO_OTHERWISE), Some(FOUR)];
    for old in olds {
        for new in LAYOUTS {
            let mut seen = vec![];
            every_crash(old, new, |_, model| seen.push(model));
            let before = old.map(|_| 1.0);
            let commits = seen.iter().position(|model| *model == Some(2.0));
            let commit = commits.expect("a whole save is the new model");
            assert!(commit > 0 || seen.len() == 1);
            assert!(
                seen[..commit].iter().all(|model| *model == before),
                "{old:?} to {new:?}: {seen:?}"
            );
            assert!(
                seen[commit..].iter().all(|model| *model == Some(2.0)),
                "{old:?} to {new:?}: {seen:?}"
            );
        }
    }
}

#[test]
fn a_save_after_a_crash_is_as_if_there_had_been_none() {
    for old in LAYOUTS {
        for new in [ONE, TWO] {
            every_crash(Some(old), new, |folder, _| {
                save(3.0, TWO, folder, usize::MAX);
                assert_eq!(read(folder), Some(3.0));
                assert_eq!(files(folder), expected_files(TWO).into_iter().collect());
            });
        }
    }
}

#[test]
fn two_crashes_in_a_row_leave_one_of_the_three_models() {
    let mut seen = BTreeMap::new();
    for second in 0..12 {
        every_crash(Some(TWO), TWO, |folder, before| {
            save(3.0, TWO_OTHERWISE, folder, second);
            let model = read(folder);
            assert!(
                model == before || model == Some(3.0),
                "{before:?} {model:?}"
            );
            *seen.entry(model.map(f32::to_bits)).or_insert(0) += 1;
        });
    }
    assert_eq!(seen.len(), 3, "all three occur, and never none: {seen:?}");
}

#[test]
fn without_hard_links_the_new_shards_keep_their_names() {
    let place = scratch();
    let folder = place.path();
    save(1.0, TWO, folder, usize::MAX);
    let steps = plan(&Found::in_folder(folder).unwrap(), TWO);
    let link = steps.iter().position(|step| matches!(step, Step::Link(..)));
    // A link whose name is taken fails, as every link does on such a file system.
    save(2.0, TWO, folder, link.unwrap());
    let taken = folder.join(&expected_files(TWO)[0]);
    fs::create_dir(&taken).unwrap();
    let tensors = named_tensors(&toy(2.0), folder).unwrap();
    let new = NewWeights {
        tensors: &tensors,
        dtype: WeightDtype::F32,
        shards: TWO,
    };
    new.carry_out(&steps[link.unwrap()..], folder).unwrap();
    fs::remove_dir(&taken).unwrap();
    assert_eq!(read(folder), Some(2.0));
    save(3.0, TWO, folder, usize::MAX);
    assert_eq!(read(folder), Some(3.0));
    assert_eq!(files(folder), expected_files(TWO).into_iter().collect());
}

#[test]
fn an_index_cannot_make_a_save_remove_other_files() {
    let place = scratch();
    let folder = place.path().join("model");
    fs::create_dir(&folder).unwrap();
    let outside = place.path().join("outside.safetensors");
    for kept in [&outside, &folder.join("config.json")] {
        fs::write(kept, "kept").unwrap();
    }
    let index = r#"{"weight_map": {"a": "../outside.safetensors", "b": "config.json", "c": "own.safetensors"}}"#;
    fs::write(folder.join(INDEX), index).unwrap();
    fs::write(folder.join("own.safetensors"), "").unwrap();
    save(1.0, ONE, &folder, usize::MAX);
    assert!(outside.exists());
    assert_eq!(
        files(&folder),
        [SINGLE.to_owned(), "config.json".to_owned()].into()
    );
}

/// An index must never name a file that is gone: readers would take the folder for a broken model.
#[test]
fn the_index_goes_before_its_shards() {
    let removed = |steps: &[Step]| -> Vec<String> {
        let names = steps.iter().filter_map(|step| match step {
            Step::Remove(name) => Some(name.clone()),
            _ => None,
        });
        names.collect()
    };
    let place = scratch();
    let folder = place.path();
    save(1.0, TWO, folder, usize::MAX);
    let of_the_old = removed(&plan(&Found::in_folder(folder).unwrap(), ONE));
    assert_eq!((&of_the_old[0][..], of_the_old.len()), (INDEX, 3));
    // Beside a single file, which readers prefer, index and shards are leftovers.
    fs::write(folder.join(SINGLE), b"").unwrap();
    for shards in [ONE, FOUR] {
        let leftovers = removed(&plan(&Found::in_folder(folder).unwrap(), shards));
        assert_eq!(leftovers[0], INDEX, "{leftovers:?}");
        assert_eq!(leftovers[1..3], of_the_old[1..]);
    }
}
