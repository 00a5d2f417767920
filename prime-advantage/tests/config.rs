//! Estimators as config files write them, and the shape of results.

mod common;

use common::{batch, every_term, group, run};
use prime_advantage::*;

fn parse(text: &str) -> EstimatorConfig {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Every estimator with every knob away from its default.
fn changed() -> Vec<Term> {
    let weights = [("format".to_owned(), 0.5), ("accuracy".to_owned(), 2.0)];
    let terms = vec![
        Reinforce::default()
            .with_baseline(Baseline::BatchMean)
            .into(),
        Reinforce::default()
            .with_baseline(Baseline::GroupMean)
            .into(),
        ReinforcePlusPlus::default().with_gamma(0.9).into(),
        ReinforcePlusPlusBaseline::default()
            .with_singleton(Singleton::Raw)
            .into(),
        Rloo::default()
            .with_scaling(LooScaling::Code)
            .with_singleton(Singleton::Zero)
            .into(),
        Grpo::default()
            .with_normalize_by_std(false)
            .with_epsilon(0.5)
            .with_singleton(Singleton::Raw)
            .into(),
        GrpoPassk::default()
            .with_normalize_by_std(false)
            .with_epsilon(0.5)
            .into(),
        Gae::new(0.99, 0.95).with_whiten(true).into(),
        Remax::default().into(),
        Opo::default().with_singleton(Singleton::Error).into(),
        Gpg::default()
            .with_f_norm(2.0)
            .with_singleton(Singleton::Raw)
            .into(),
        Gdpo::default()
            .with_weights(weights.into())
            .with_epsilon(0.5)
            .with_singleton(Singleton::Raw)
            .into(),
        OptimalTokenBaseline::default()
            .with_handle_zero_tail(true)
            .with_epsilon(0.5)
            .with_singleton(Singleton::Raw)
            .into(),
        ValueBaseline::default().into(),
    ];
    for default in every_term() {
        let same = |term: &&Term| term.name() == default.name();
        assert!(terms.iter().any(|term| same(&term)), "{default:?}");
    }
    terms
}

/// The same estimator as a configuration of its own.
fn alone(term: &Term) -> EstimatorConfig {
    let value = serde_json::to_value(term).expect("writes");
    serde_json::from_value(value).expect("the same form")
}

#[test]
fn names_select_estimators() {
    let aliases = [("loo", "rloo"), ("ppo", "gae")];
    for &written in EstimatorConfig::NAMES {
        let alias = aliases.iter().find(|(alias, _)| *alias == written);
        let name = alias.map_or(written, |(_, name)| name);
        let config = parse(&format!("estimator = '{written}'"));
        let estimator = config.build().expect("default knobs are valid");
        assert_eq!(estimator.name(), name);
        if written == "prime" {
            assert!(Term::from_name(written).is_none(), "no half of itself");
            continue;
        }
        assert_eq!(Term::from_name(written).expect("known").name(), name);
        // As a half, the name alone or a table.
        for half in ["outcome", "process"] {
            let by_name = parse(&format!("estimator = 'prime'\n{half} = '{written}'"));
            let by_table = parse(&format!(
                "estimator = 'prime'\n{half}.estimator = '{written}'"
            ));
            assert_eq!(by_name, by_table);
            let term = Term::from_name(written).expect("known");
            let expected = match half {
                "outcome" => Prime::paper().with_outcome(term),
                _ => Prime::paper().with_process(term),
            };
            assert_eq!(by_name, EstimatorConfig::from(expected));
        }
    }
    assert_eq!(EstimatorConfig::NAMES.len(), Term::NAMES.len() + 1);
    assert_eq!(Term::NAMES.len(), every_term().len() + aliases.len());
}

/// A resolved config reads back, from TOML and JSON, alone and in either half.
#[test]
fn every_estimator_reads_back_what_it_wrote() {
    for term in changed().into_iter().chain(every_term()) {
        let json = serde_json::to_string(&term).expect("writes");
        assert_eq!(
            serde_json::from_str::<Term>(&json).expect("reads"),
            term,
            "{json}"
        );
        let text = toml::to_string(&term).expect("writes");
        assert_eq!(
            toml::from_str::<Term>(&text).expect("reads"),
            term,
            "{text}"
        );

        let prime = Prime::recipe();
        let halves = [
            alone(&term),
            prime.clone().with_outcome(term.clone()).into(),
            prime.clone().with_process(term.clone()).into(),
        ];
        for config in halves {
            let text = toml::to_string(&config).expect("writes");
            assert_eq!(parse(&text), config, "{text}");
            let json = serde_json::to_string(&config).expect("writes");
            let read: EstimatorConfig = serde_json::from_str(&json).expect("reads");
            assert_eq!(read, config, "{json}");
        }
    }
}

#[test]
fn presets_and_every_knob_of_prime_read_back() {
    let odd = Prime::paper()
        .with_outcome_coef(0.25)
        .with_process_coef(4.0)
        .with_outcome_gamma(0.5)
        .with_process_gamma(0.75)
        .with_process_norm(ProcessNorm::BatchNorm)
        .with_drop_last_token(true)
        .with_whiten(true);
    for prime in [Prime::paper(), Prime::orig(), Prime::recipe(), odd] {
        let config = EstimatorConfig::from(prime.clone());
        let text = toml::to_string(&config).expect("writes");
        assert_eq!(parse(&text), config, "{text}");
        let json = serde_json::to_string(&prime).expect("writes");
        assert_eq!(serde_json::from_str::<Prime>(&json).expect("reads"), prime);
    }
}

/// What the docs of each knob say happens if it is left out.
#[test]
fn defaults_are_the_documented_ones() {
    let table = [
        ("reinforce", "baseline = 'none'"),
        ("reinforce_plus_plus", "gamma = 1.0"),
        ("reinforce_plus_plus_baseline", "singleton = 'zero'"),
        ("rloo", "scaling = 'paper'\nsingleton = 'error'"),
        (
            "grpo",
            "normalize_by_std = true\nepsilon = 1e-6\nsingleton = 'zero'",
        ),
        ("grpo_passk", "normalize_by_std = true\nepsilon = 1e-6"),
        ("gae", "gamma = 1\nlam = 1\nwhiten = false"),
        ("remax", ""),
        ("opo", "singleton = 'zero'"),
        ("gpg", "f_norm = 1\nsingleton = 'zero'"),
        ("gdpo", "weights = {}\nepsilon = 1e-6\nsingleton = 'zero'"),
        (
            "optimal_token_baseline",
            "handle_zero_tail = false\nepsilon = 1e-8\nsingleton = 'error'",
        ),
        ("value_baseline", ""),
    ];
    assert_eq!(table.len(), every_term().len());
    for (name, knobs) in table {
        let spelled = parse(&format!("estimator = '{name}'\n{knobs}"));
        assert_eq!(spelled, parse(&format!("estimator = '{name}'")), "{name}");
        // Spelled out means all of them: written back, there is no other knob.
        let written: toml::Table =
            toml::from_str(&toml::to_string(&spelled).expect("writes")).expect("reads");
        let listed: toml::Table = toml::from_str(knobs).expect("reads");
        assert_eq!(written.len(), listed.len() + 1, "{name}: {written:?}");
    }
    let paper = "estimator = 'prime'\noutcome_coef = 1\nprocess_coef = 1\noutcome_gamma = 1\n\
                 process_gamma = 1\nprocess_norm = 'none'\ndrop_last_token = false\nwhiten = false\n\
                 process = 'rloo'\noutcome = 'rloo'";
    assert_eq!(parse(paper), parse("estimator = 'prime'"));
    assert_eq!(parse(paper), EstimatorConfig::from(Prime::paper()));
    assert_eq!(
        EstimatorConfig::default(),
        EstimatorConfig::from(Prime::paper())
    );
    assert_eq!(Term::default(), Term::from(Rloo::default()));
}

/// The presets differ from the paper in these knobs and no others.
#[test]
fn presets_are_the_documented_ones() {
    let orig = "estimator = 'prime'\nprocess_norm = 'batch_norm'\nwhiten = true\n\
                process = { estimator = 'rloo', scaling = 'code' }";
    assert_eq!(parse(orig), EstimatorConfig::from(Prime::orig()));
    let recipe = format!("drop_last_token = true\noutcome_coef = 5\nprocess_coef = 5\n{orig}");
    assert_eq!(parse(&recipe), EstimatorConfig::from(Prime::recipe()));
}

#[test]
fn aliases_of_knobs() {
    let gae = parse("estimator = 'ppo'\nwhiten_advantages = true");
    assert_eq!(gae, EstimatorConfig::from(Gae::default().with_whiten(true)));
    let prime = parse("estimator = 'prime'\nwhiten_advantages = true");
    let expected = Prime::paper().with_whiten(true);
    assert_eq!(prime, EstimatorConfig::from(expected));
}

/// Whole numbers where a fraction may stand, as people write them.
#[test]
fn knobs_are_read_whole_numbers_included() {
    let config = parse(
        "estimator = 'prime'\nprocess = 'grpo'\nprocess_norm = 'batch_norm'\n\
         process_gamma = 0\nwhiten = true\n[outcome]\nestimator = 'grpo'\nepsilon = 1",
    );
    let expected = Prime::paper()
        .with_process_norm(ProcessNorm::BatchNorm)
        .with_process_gamma(0.0)
        .with_whiten(true)
        .with_process(Term::from(Grpo::default()))
        .with_outcome(Term::from(Grpo::default().with_epsilon(1.0)));
    assert_eq!(config, EstimatorConfig::from(expected));
}

#[test]
fn unknown_names_and_knobs_are_errors() {
    for term in every_term() {
        let text = format!("estimator = '{}'\nno_such_knob = 1", term.name());
        let error = toml::from_str::<EstimatorConfig>(&text).expect_err(&text);
        assert!(
            error.to_string().contains("no_such_knob"),
            "{text}: {error}"
        );
        for half in ["process", "outcome"] {
            let half = format!(
                "{half} = {{ estimator = '{}', no_such_knob = 1 }}",
                term.name()
            );
            let text = format!("estimator = 'prime'\n{half}");
            let error = toml::from_str::<EstimatorConfig>(&text).expect_err(&text);
            assert!(
                error.to_string().contains("no_such_knob"),
                "{text}: {error}"
            );
        }
    }
    let table = [
        ("estimator = 'rlo'", "rlo"),
        ("estimator = 'rloo'\ngamma = 1.0", "gamma"),
        ("estimator = 'gae'\nlambda = 1.0", "lambda"),
        ("estimator = 'prime'\nproces = 'rloo'", "proces"),
        ("estimator = 'prime'\noutcome = 'grp'", "grp"),
        ("estimator = 'prime'\noutcome = 'prime'", "prime"),
        (
            "estimator = 'prime'\noutcome = 3",
            "an estimator's name or a table",
        ),
        (
            "estimator = 'prime'\noutcome = { epsilon = 1.0 }",
            "estimator",
        ),
        ("estimator = 'grpo'\nnormalize_by_std = 1", "boolean"),
        ("estimator = 'rloo'\nsingleton = 'none'", "none"),
        ("gamma = 1.0", "estimator"),
    ];
    for (text, culprit) in table {
        let error = toml::from_str::<EstimatorConfig>(text).expect_err(text);
        assert!(error.to_string().contains(culprit), "{text}: {error}");
    }
}

/// Results keep the batch's shape; asking past it gives `None`, never a panic.
#[test]
fn results_are_ragged_like_the_batch() {
    let shape = batch(vec![
        group(&[2, 0, 1], &[1.0, 0.0, 0.0]),
        group(&[3, 1], &[1.0, 0.0]),
    ]);
    let result = run(&Rloo::default(), &shape);
    assert_eq!((result.group_count(), result.response_count()), (2, 5));
    let lens: Vec<_> = result.iter().map(|r| r.advantages().len()).collect();
    assert_eq!(lens, [2, 0, 1, 3, 1]);
    let by_group: Vec<Vec<_>> = result
        .groups()
        .map(|g| g.iter().map(|r| r.advantages().len()).collect())
        .collect();
    assert_eq!(by_group, [vec![2, 0, 1], vec![3, 1]]);
    let second = result.group(1).expect("two groups");
    assert_eq!(second.len(), 2);
    assert_eq!(second.response(0), result.response(1, 0));
    assert_eq!(second.response(0).expect("in range").advantages(), [1.0; 3]);
    assert_eq!(result.advantages(), result.returns());

    assert!(result.group(2).is_none() && result.group(usize::MAX).is_none());
    assert!(second.response(2).is_none() && second.response(usize::MAX).is_none());
    // Response 3 of group 0 would be response 0 of group 1 in a flat table.
    assert!(result.response(0, 3).is_none() && result.response(2, 0).is_none());
    assert!(result.response(usize::MAX, 0).is_none() && result.response(1, usize::MAX).is_none());

    let mut own = Advantages::zeros_with_returns(&shape);
    own.advantages_mut(1, 1).expect("in range")[0] = 2.0;
    own.returns_mut(0, 2).expect("in range")[0] = 3.0;
    assert_eq!(own.advantages(), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0]);
    assert_eq!(own.returns(), [0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0]);
    assert!(Advantages::zeros(&shape).returns_mut(0, 0).is_none());

    own.returns_mut(1, 0).expect("in range")[1] = f32::NAN;
    let error = own.into_finite().expect_err("NaN");
    let expected = AdvantageError::ResultNotFinite {
        group: 1,
        response: 0,
        token: 1,
    };
    assert_eq!(error, expected);
}

/// A preset is where a table starts, not where it ends.
#[test]
fn presets_are_selected_by_name() {
    let read = |toml: &str| toml::from_str::<EstimatorConfig>(toml).expect("valid");
    for (name, preset) in [
        ("paper", Prime::paper()),
        ("orig", Prime::orig()),
        ("recipe", Prime::recipe()),
    ] {
        let table = format!("estimator = 'prime'\npreset = '{name}'");
        assert_eq!(read(&table), preset.clone().into(), "{name}");
        let changed = read(&format!("{table}\nprocess_coef = 2.5\noutcome = 'grpo'"));
        let expected = preset
            .with_process_coef(2.5)
            .with_outcome(Term::from(Grpo::default()));
        assert_eq!(changed, expected.into(), "{name}");
        // The registry starts from the same preset.
        let table = toml::Deserializer::parse(&table).expect("TOML");
        let built = Registry::new().build(table).expect("valid");
        let EstimatorConfig::Prime(prime) =
            read(&format!("estimator = 'prime'\npreset = '{name}'"))
        else {
            panic!("{name} is PRIME")
        };
        for knobs in [
            "outcome_coef",
            "process_norm",
            "drop_last_token",
            "whiten",
            "scaling",
        ] {
            let word = |debug: String| {
                let at = debug.find(knobs).expect("the knob is shown");
                debug[at..].split([',', '}']).next().map(str::to_owned)
            };
            assert_eq!(
                word(format!("{built:?}")),
                word(format!("{prime:?}")),
                "{name}"
            );
        }
    }
    let error = toml::from_str::<EstimatorConfig>("estimator = 'prime'\npreset = 'verl'");
    let error = error.expect_err("no such preset").to_string();
    assert!(error.contains("recipe"), "{error}");
}
