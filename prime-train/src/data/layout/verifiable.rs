//! Rows that say how they are judged: the schema of Eurus-2-RL-Data and verl, and `verification_info`. Other columns with
//! an answer are passed over.

use super::{Gold, How, Layout, PLAIN};

pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
        name: "verl",
        data_sets: "Eurus-2-RL-Data, verl's gsm8k and MATH, DAPO-Math-17k, Skywork-OR1, GURU",
        columns: &["reward_model"],
        gold: Gold::At(&["reward_model.ground_truth"], How::Exact),
        ..PLAIN
    },
    Layout {
        name: "verification_info",
        data_sets: "SYNTHETIC-1, SYNTHETIC-2, INTELLECT-2-RL-Dataset, verifiable-coding-problems",
        columns: &["prompt", "verification_info"],
        gold: Gold::At(
            &[
                "verification_info.ground_truth",
                "verification_info.test_cases",
                "verification_info.answer",
            ],
            How::Exact,
        ),
        ability: "task_type",
        ..PLAIN
    },
];
