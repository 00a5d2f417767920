//! Estimators selected by name, one's own like ours.

mod common;

use common::own::{FirstToken, Median, Myopic, dense};
use common::{assert_same_bits, assert_words, run};
use prime_advantage::*;

fn registry() -> Registry {
    let registry = Registry::new().with::<Median>("median").expect("free");
    let registry = registry.with::<FirstToken>("first_token").expect("free");
    registry.with::<Myopic>("myopic").expect("free")
}

fn build(text: &str) -> Result<Box<dyn AdvantageEstimator>, AdvantageError> {
    registry().build(toml::Deserializer::parse(text).expect("TOML"))
}

#[test]
fn selected_by_name() {
    let found = build("estimator = 'median'\nscale = 3").expect("known");
    assert_same_bits(
        &run(&found, &dense()),
        &run(&Median { scale: 3.0 }, &dense()),
    );
    let table = [
        (
            "outcome = 'median'",
            Prime::paper().with_outcome(Term::default()),
            0,
        ),
        ("process = 'median'", Prime::paper(), 1),
        (
            "process = 'median'\noutcome = { estimator = 'median' }",
            Prime::paper(),
            2,
        ),
    ];
    for (halves, prime, which) in table {
        let text = format!("estimator = 'prime'\n{halves}\nprocess_gamma = 0.5\nwhiten = true");
        let prime = prime.with_process_gamma(0.5).with_whiten(true);
        let by_hand = match which {
            0 => run(&prime.with_outcome(Median::default()), &dense()),
            1 => run(&prime.with_process(Median::default()), &dense()),
            _ => {
                let prime = prime.with_process(Median::default());
                run(&prime.with_outcome(Median::default()), &dense())
            }
        };
        assert_same_bits(&run(&build(&text).expect("known"), &dense()), &by_hand);
    }
}

/// Ours, from the registry and from `EstimatorConfig`, give the same bits.
#[test]
fn the_registry_knows_ours() {
    let texts = EstimatorConfig::NAMES
        .iter()
        .map(|name| format!("estimator = '{name}'"));
    let more = [
        "estimator = 'grpo'\nepsilon = 1\nsingleton = 'raw'",
        "estimator = 'gdpo'\nepsilon = 0.5",
        "estimator = 'prime'\nprocess = { estimator = 'rloo', scaling = 'code' }\nwhiten = true",
        "estimator = 'prime'\noutcome = 'reinforce_plus_plus'\nprocess = 'opo'\nprocess_coef = 3",
    ];
    for text in texts.chain(more.map(str::to_owned)) {
        let config: EstimatorConfig = toml::from_str(&text).expect("known");
        let (config, found) = (config.build().expect("valid"), build(&text).expect("known"));
        assert_eq!(found.name(), config.name());
        match (found.estimate(&dense()), config.estimate(&dense())) {
            (Ok(found), Ok(expected)) => assert_same_bits(&found, &expected),
            (found, expected) => assert_eq!(found, expected, "{text}"),
        }
    }
    // JSON, and the bare name.
    let json = serde_json::json!({"estimator": "gae", "gamma": 0.5});
    assert_eq!(registry().build(json).expect("known").name(), "gae");
    let name = serde_json::json!("loo");
    assert_eq!(registry().build(name).expect("known").name(), "rloo");
    let names: Vec<_> = registry().names().collect();
    assert_eq!(
        names[..EstimatorConfig::NAMES.len()],
        *EstimatorConfig::NAMES
    );
    assert_eq!(
        names[EstimatorConfig::NAMES.len()..],
        ["first_token", "median", "myopic"]
    );
    let listed = format!("{:?}", registry());
    assert!(
        listed.contains("\"median\"") && listed.contains("\"gae\""),
        "{listed}"
    );
}

#[test]
fn what_cannot_be_selected() {
    let table: [(&str, &[&str]); 11] = [
        (
            "estimator = 'medin'",
            &["no estimator `medin`", "known are", "median", "rloo"],
        ),
        ("scale = 3", &["needs its name", "estimator = \"rloo\""]),
        ("estimator = 3", &["needs its name"]),
        (
            "estimator = 'median'\nscal = 3",
            &["estimator `median`", "`scal`", "`scale`"],
        ),
        (
            "estimator = 'median'\nscale = 'big'",
            &["estimator `median`", "\"big\""],
        ),
        (
            "estimator = 'rloo'\nscal = 3",
            &["estimator `rloo`", "`scal`"],
        ),
        (
            "estimator = 'gae'\ngamma = true",
            &["estimator `gae`", "true"],
        ),
        (
            "estimator = 'prime'\noutcom = 'median'",
            &["estimator `prime`", "`outcom`"],
        ),
        (
            "estimator = 'prime'\noutcome = 'medin'",
            &["no estimator `medin`", "known are"],
        ),
        (
            "estimator = 'prime'\nprocess = 4",
            &["a name or a table", "not 4"],
        ),
        (
            "estimator = 'prime'\nprocess = { estimator = 'median', scal = 3 }",
            &["estimator `median`", "`scal`"],
        ),
    ];
    for (text, words) in table {
        let error = build(text).expect_err(text);
        assert!(
            matches!(error, AdvantageError::Config { .. }),
            "{text}: {error:?}"
        );
        assert_words(&error, words);
    }
    let error = registry()
        .build(serde_json::json!([1]))
        .expect_err("a list");
    assert!(error.to_string().contains("a name or a table"), "{error}");
    // Its own check of its knobs, alone and as a half; and PRIME's of the pair.
    let error = Median { scale: f64::NAN }.validate().expect_err("NaN");
    assert!(matches!(
        error,
        AdvantageError::OutOfRange { knob: "scale", .. }
    ));
    let error = build("estimator = 'prime'\nprocess = 'first_token'").expect_err("unsupported");
    assert!(matches!(error, AdvantageError::Conflict { .. }));
}

#[test]
fn names_are_given_once() {
    for taken in ["rloo", "loo", "prime", "median"] {
        let error = registry().with::<Median>(taken).expect_err(taken);
        assert!(matches!(error, AdvantageError::Config { .. }));
        assert_words(&error, &[taken, "is taken", "another one"]);
    }
}

#[test]
fn prime_is_no_half_of_itself() {
    for half in ["process", "outcome"] {
        let configuration = serde_json::json!({"estimator": "prime", half: "prime"});
        let error = Registry::new().build(configuration).expect_err(half);
        assert!(error.to_string().contains("cannot be `prime`"), "{error}");
    }
}
