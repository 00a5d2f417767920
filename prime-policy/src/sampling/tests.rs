use super::draw::Weights;
use super::truncate::Truncation;
use super::*;

fn config(top_k: usize, top_p: f32, min_p: f32) -> SamplingConfig {
    SamplingConfig {
        top_k,
        top_p,
        min_p,
        ..SamplingConfig::default()
    }
}

/// What may be drawn and how likely it is, by sorting everything: `transformers`' processors one after the other.
fn by_sorting(logits: &[f32], config: &SamplingConfig) -> Vec<(u32, f64)> {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = |l: f32| (f64::from(l - top) / f64::from(config.log_prob_temperature())).exp();
    let mut kept: Vec<(u32, f32)> = (0..).zip(logits.iter().copied()).collect();
    // −0 and 0 are equally likely.
    kept.sort_by(|a, b| b.1.partial_cmp(&a.1).unwrap().then(a.0.cmp(&b.0)));
    if (1..kept.len()).contains(&config.top_k) {
        let floor = kept[config.top_k - 1].1;
        kept.retain(|&(_, l)| l >= floor);
    }
    let mass: f64 = kept.iter().map(|&(_, l)| weight(l)).sum();
    let mut before = 0.0;
    if config.top_p < 1.0 {
        kept.retain(|&(_, l)| {
            let inside = before < f64::from(config.top_p) * mass;
            before += weight(l);
            inside
        });
    }
    kept.retain(|&(_, l)| weight(l) >= f64::from(config.min_p));
    kept.sort_unstable_by_key(|&(id, _)| id);
    let mass: f64 = kept.iter().map(|&(_, l)| weight(l)).sum();
    kept.into_iter()
        .map(|(id, l)| (id, weight(l) / mass))
        .collect()
}

/// Uniform numbers for test data.
struct Numbers(SampleKey, u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.1 += 1;
        self.0.uniform(self.1)
    }

    /// Logits of some shape or other: peaked, flat, with ties, with tokens that are ruled out.
    fn logits(&mut self, n: usize) -> Vec<f32> {
        let (scale, kind) = (10f64.powf(self.next() * 3.0 - 1.5), self.next());
        let mut draw = || {
            let x = (scale * (self.next() + self.next() + self.next() - 1.5)) as f32;
            match kind {
                k if k < 0.3 => (x * 2.0).round() / 2.0,
                k if k < 0.4 && self.next() < 0.5 => f32::NEG_INFINITY,
                _ => x,
            }
        };
        let mut logits: Vec<f32> = (0..n).map(|_| draw()).collect();
        logits[n / 2] = logits[n / 2].max(0.0);
        logits
    }
}

#[test]
fn truncation_equals_sorting() {
    let mut numbers = Numbers(SampleKey::new(5, 0, 0, 0), 0);
    let (mut cut, mut truncation, mut weights) = (0, Truncation::default(), Weights::default());
    for case in 0..3000 {
        let n = 1 + (10f64.powf(numbers.next() * 3.3)) as usize;
        let logits = numbers.logits(n);
        let mut choose = |some: f64, none: f64| {
            let on = numbers.next() < 0.6;
            if on { some * numbers.next() } else { none }
        };
        let mut config = config(
            choose(1.3 * n as f64, 0.0) as usize,
            choose(0.999, 0.999) as f32 + 0.001,
            choose(0.3, 0.0) as f32,
        );
        config.temperature = 0.2 + 2.0 * numbers.next() as f32;
        weights.read(&logits, config.temperature);
        let kept = truncation.keep(&logits, &weights, &config).to_vec();
        let expected: Vec<u32> = by_sorting(&logits, &config)
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        let expected: Vec<u32> = if config.is_whole() {
            (0..n as u32).collect()
        } else {
            expected
        };
        assert_eq!(kept, expected, "case {case}: {config:?} of {n} tokens");
        cut += usize::from(kept.len() < n);
    }
    assert!(cut > 2000, "{cut}");
}

#[test]
fn ties_are_kept_by_top_k_and_broken_by_top_p() {
    let kept = |logits: &[f32], config: &SamplingConfig| -> Vec<u32> {
        let kept = by_sorting(logits, config);
        let mut weights = Weights::default();
        weights.read(logits, 1.0);
        let mut truncation = Truncation::default();
        let ids = truncation.keep(logits, &weights, config).to_vec();
        assert_eq!(ids, kept.iter().map(|&(id, _)| id).collect::<Vec<_>>());
        ids
    };
    let logits = [0.0, 1.0, 0.0, 1.0, 1.0, -1.0];
    assert_eq!(kept(&logits, &config(2, 1.0, 0.0)), [1, 3, 4]);
    assert_eq!(kept(&logits, &config(1, 0.6, 0.0)), [1, 3]);
    assert_eq!(kept(&[0.0; 8], &config(0, 0.5, 0.0)), [0, 1, 2, 3]);
    assert_eq!(kept(&[0.0; 8], &config(0, 1e-9, 0.0)), [0]);
    assert_eq!(kept(&logits, &config(0, 1.0, 1.0)), [1, 3, 4]);
}

#[test]
fn a_draw_follows_its_distribution_and_reports_both_log_probs() {
    let mut numbers = Numbers(SampleKey::new(8, 0, 0, 0), 0);
    // More than two blocks of logits.
    let logits: Vec<f32> = (0..300).map(|_| 4.0 * numbers.next() as f32).collect();
    let whole = by_sorting(&logits, &config(0, 1.0, 0.0));
    for (temperature, config) in [
        (1.0, config(0, 1.0, 0.0)),
        (0.7, config(0, 1.0, 0.0)),
        (1.0, config(40, 1.0, 0.0)),
        (1.0, config(0, 0.8, 0.0)),
        (1.0, config(0, 1.0, 0.2)),
        (1.3, config(100, 0.9, 0.1)),
    ] {
        let config = SamplingConfig {
            temperature,
            ..config
        };
        let expected = by_sorting(&logits, &config);
        let all = by_sorting(
            &logits,
            &SamplingConfig {
                temperature,
                ..SamplingConfig::default()
            },
        );
        assert_eq!(all.len(), whole.len());
        let draws = 40_000;
        let mut counts = vec![0.0; logits.len()];
        let mut sampler = Sampler::new(&config);
        for i in 0..draws {
            let draw = sampler.draw(&logits, SampleKey::new(1, 2, 3, i), 4);
            counts[draw.token as usize] += 1.0;
            let found = expected.iter().find(|(id, _)| *id == draw.token);
            let (_, p) = found.expect("only tokens that are kept are drawn");
            assert!((f64::from(draw.sampling_log_prob) - p.ln()).abs() < 2e-6);
            let p = all[draw.token as usize].1;
            assert!((f64::from(draw.log_prob) - p.ln()).abs() < 2e-6);
        }
        let chi_square: f64 = expected
            .iter()
            .map(|&(id, p)| (counts[id as usize] - p * draws as f64).powi(2) / (p * draws as f64))
            .sum();
        let freedom = (expected.len() - 1) as f64;
        // Five standard deviations; both sides, for numbers that are too even are not random either.
        let spread = 5.0 * (2.0 * freedom).sqrt();
        assert!(
            (chi_square - freedom).abs() < spread,
            "{config:?}: χ² = {chi_square} for {freedom} degrees of freedom"
        );
    }
}

#[test]
fn greedy_takes_the_first_maximum_and_reports_log_probs_at_temperature_one() {
    let greedy = SamplingConfig::greedy(1);
    let draw = Sampler::new(&greedy).draw(&[0.0, 1.0, 1.0], SampleKey::new(0, 0, 0, 0), 0);
    assert_eq!((draw.token, draw.sampling_log_prob), (1, 0.0));
    let expected = 1.0 - (1.0 + 2.0 * 1f64.exp()).ln();
    assert!((f64::from(draw.log_prob) - expected).abs() < 1e-6);
}

#[test]
fn logits_that_are_no_numbers_give_log_probs_that_are_none() {
    for bad in [
        [0.0, f32::NAN, 1.0],
        [f32::NAN; 3],
        [f32::NEG_INFINITY; 3],
        [0.0, f32::INFINITY, 1.0],
    ] {
        for config in [
            SamplingConfig::greedy(1),
            config(0, 1.0, 0.0),
            config(2, 0.5, 0.1),
            config(0, 0.5, 0.0),
        ] {
            let draw = Sampler::new(&config).draw(&bad, SampleKey::new(0, 0, 0, 0), 0);
            assert!(!draw.log_prob.is_finite(), "{bad:?} {config:?} {draw:?}");
        }
    }
}

#[test]
fn a_key_depends_on_every_part() {
    let base = SampleKey::new(1, 2, 3, 4);
    for other in [
        SampleKey::new(2, 2, 3, 4),
        SampleKey::new(1, 3, 3, 4),
        SampleKey::new(1, 2, 4, 4),
        SampleKey::new(1, 2, 3, 5),
        SampleKey::new(2, 1, 3, 4),
    ] {
        assert_ne!(base, other);
        assert_ne!(base.uniform(0), other.uniform(0));
    }
    assert_ne!(base.uniform(0), base.uniform(1));
}

#[test]
fn out_of_range_parameters_are_named() {
    let default = SamplingConfig::default;
    for (bad, name) in [
        (config(0, 0.0, 0.0), "top_p"),
        (config(0, f32::NAN, 0.0), "top_p"),
        (config(0, 1.0, 1.5), "min_p"),
        (config(0, 1.0, f32::NAN), "min_p"),
        (
            SamplingConfig {
                temperature: -1.0,
                ..default()
            },
            "temperature",
        ),
        (
            SamplingConfig {
                max_new_tokens: 0,
                ..default()
            },
            "max_new_tokens",
        ),
    ] {
        let message = bad.validate().unwrap_err().to_string();
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn what_a_models_makers_ask_for_is_what_is_drawn_with() {
    let defaults = SamplingDefaults {
        temperature: 0.7,
        top_k: 20,
        top_p: 0.8,
        min_p: 0.1,
        max_new_tokens: None,
        max_length: None,
        stop_strings: vec![],
    };
    let wanted = |max_new_tokens| SamplingConfig {
        temperature: 0.7,
        top_k: 20,
        top_p: 0.8,
        min_p: 0.1,
        max_new_tokens,
    };
    let taken = |new, length| {
        let defaults = SamplingDefaults {
            max_new_tokens: new,
            max_length: length,
            ..defaults.clone()
        };
        SamplingConfig::from_defaults(&defaults, 10, 99)
    };
    assert_eq!(taken(None, None).unwrap(), wanted(99));
    assert_eq!(taken(Some(7), Some(12)).unwrap(), wanted(7));
    assert_eq!(taken(None, Some(12)).unwrap(), wanted(2));
    assert_eq!(taken(None, Some(11)).unwrap(), wanted(1));
    let error = taken(None, Some(10)).unwrap_err().to_string();
    assert!(error.contains("max_length is 10"), "{error}");
    let error = taken(Some(0), None).unwrap_err().to_string();
    assert!(error.contains("max_new_tokens is 0"), "{error}");
    let greedy = SamplingDefaults {
        temperature: 0.0,
        ..defaults
    };
    let greedy = SamplingConfig::from_defaults(&greedy, 10, 5).unwrap();
    assert_eq!(greedy.temperature, 0.0);
}
