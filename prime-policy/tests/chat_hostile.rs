//! Templates that were written to do harm, or by mistake: one clear error each, on a stack of 2 MiB.

use prime_policy::{ChatMessage, ChatOptions, ChatTemplate, PolicyError};

/// Compiles and renders on a thread with the stack that Rust gives a thread.
fn render(template: &str) -> Result<String, PolicyError> {
    let work = || {
        let question = [ChatMessage::new("user", "a question")];
        ChatTemplate::new(template, "hostile.jinja")?.render(&question, [], &ChatOptions::default())
    };
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn_scoped(scope, work)
            .unwrap()
            .join()
            .unwrap()
    })
}

fn assert_refused(template: &str, part: &str) {
    let start: String = template.chars().take(60).collect();
    let error = render(template).expect_err(&start);
    assert!(
        matches!(&error, PolicyError::ChatTemplate { .. }),
        "{start}: {error}"
    );
    let message = error.to_string();
    for part in ["hostile.jinja", part] {
        assert!(message.contains(part), "{start}: {message} lacks {part}");
    }
}

fn assert_renders(template: &str, expected: &str) {
    let start: String = template.chars().take(200).collect();
    assert_eq!(render(template).unwrap(), expected, "{start}");
}

/// A loop that sets `ns.a`, which starts as `start`, a hundred thousand times.
fn grown(start: &str, value: &str) -> String {
    format!(
        "{{% set ns = namespace(a={start}) %}}{{% for i in range(99999) %}}{{% set ns.a = {value} %}}{{% endfor %}}"
    )
}

#[test]
fn long_texts_and_long_loops_run_out_of_fuel() {
    for template in [
        "{{ 'a' * 10**9 }}",
        "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
        "{{ ('x' * 1000000).replace('x', 'y' * 1000000) }}",
        "{{ ('x' * 1000000) | replace('', 'y' * 1000000) }}",
        "{{ (['x' * 10000000] * 1000) | join }}",
        "{{ ([{'a': 'x' * 10000000}] * 1000) | join(attribute='a') }}",
        "{{ ''.join(['x' * 10000000] * 1000) }}",
        "{{ ('x' * 999999).join(('y' * 999999) | list) }}",
        "{{ ['x' * 100000000] * 20 }}",
        "{{ '%900000000s' | format('a') }}",
        "{{ 'a\\nb' | indent(900000000) }}",
        "{% macro m(x) %}{{ m(x ~ x) }}{% endmacro %}{{ m('x') }}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(40) }}",
    ] {
        assert_refused(template, "does not come to an end");
    }
    for doubled in [
        "ns.a ~ ns.a",
        "ns.a + ns.a",
        "[ns.a, ns.a] | join",
        "''.join([ns.a, ns.a])",
        "ns.a | replace('x', 'xx')",
        "ns.a.replace('x', 'xx')",
    ] {
        assert_refused(&grown("'x'", doubled), "does not come to an end");
    }
    for (template, part) in [
        (
            "{% for i in range(10**9) %}x{% endfor %}",
            "too many elements",
        ),
        ("{{ ['a'] * 10**9 }}", "too large"),
        ("{{ 10 ** 10**9 }}", "unable to calculate"),
        ("{{ '{:>900000000}'.format('a') }}", "more than four digits"),
        (
            "{{ '{:.900000000f}'.format(1.5) }}",
            "more than four digits",
        ),
        (
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "recursion limit",
        ),
        (
            "{% for x in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}",
            "recursion limit",
        ),
    ] {
        assert_refused(template, part);
    }
    assert_renders("{{ '{:>5}|{:.2f}'.format('a', 1.5) }}", "    a|1.50");
}

#[test]
fn the_text_is_at_most_16_mib() {
    let text = |megabytes| {
        format!("{{% for i in range({megabytes}) %}}{{{{ 'x' * 1048576 }}}}{{% endfor %}}")
    };
    assert_eq!(render(&text(16)).unwrap().len(), 16 << 20);
    assert_refused(&text(17), "accepted: up to 16777216");
}

#[test]
fn nesting_is_refused_before_it_reaches_the_stack() {
    // Each in as few bytes as there are, so that the bound on the source does not hide it.
    let n = 50_000;
    let many = |before: &str, each: &str, after: &str| {
        let each = each.repeat(n.min(200_000 / each.len()));
        assert_refused(&format!("{before}{each}{after}"), "more than 512 operators");
    };
    for each in ["(", "[", "{1:", "-", "not ", "a if 1 else "] {
        many("{{ ", each, " }}");
    }
    for each in [
        ".a",
        "[0]",
        "()",
        "|d",
        "+1",
        "~a",
        "**1",
        " and 1",
        " or 1",
        " if 1 else 1",
        " is odd",
        "==1",
        " in a",
    ] {
        many("{{ a", each, " }}");
    }
    many("{% set ", "(", " = 1 %}");
    many("{% filter upper", "|d", " %}x{% endfilter %}");
    let elif = "{% elif 0 %}".repeat(10_000);
    assert_refused(
        &format!("{{% if 0 %}}{elif}{{% endif %}}"),
        "more than 512 `elif`",
    );
    for open in [
        "{% if 1 %}",
        "{% for i in a %}",
        "{% filter upper %}",
        "{% with %}",
    ] {
        assert_refused(&open.repeat(1_000), "recursion limits");
    }
    // What is refused at 512 is no trouble below.
    assert_renders(&format!("{{{{ 0{} }}}}", "+1".repeat(510)), "510");
    let elif = "{% elif 0 %}".repeat(512);
    assert_renders(
        &format!("{{% if 0 %}}{elif}{{% else %}}x{{% endif %}}"),
        "x",
    );
}

#[test]
fn sources_that_the_engine_cannot_count_are_refused() {
    assert_refused(&"x".repeat((256 << 10) + 1), "accepted: up to 262144");
    // The engine's columns have 16 bits.
    let comments = "{# x #}".repeat(9_000);
    assert_refused(
        &format!("\n{comments}"),
        "line 2 of the chat template: the line is longer than 60000 bytes",
    );
    let lines = "{# x #}\n".repeat(30_000);
    assert_eq!(render(&lines).unwrap(), "");
}

#[test]
fn values_that_nest_without_end_are_refused() {
    for nested in [
        "[ns.a]",
        "{'a': ns.a}",
        "(ns.a,)",
        "ns.a | batch(1)",
        "[ns.a * 1]",
    ] {
        assert_refused(&grown("[1]", nested), "nested more than 128 deep");
    }
    for nested in ["ns", "[ns]", "namespace(a=ns.a)"] {
        assert_refused(&grown("1", nested), "a namespace in a namespace");
    }
    let sets = "{% set a = [a] %}".repeat(10_000).replace("%}{%", "%}\n{%");
    assert_refused(&sets, "nested more than 128 deep");
    // Views of a list hold the list that they are views of.
    for view in [
        "ns.a * 1",
        "ns.a[0:]",
        "ns.a | reverse",
        "ns.a + []",
        "[] + ns.a * 1",
        "(ns.a * 1)[:]",
    ] {
        assert_renders(&(grown("[1]", view) + "{{ ns.a | list }}"), "[1]");
    }
}

#[test]
fn values_that_hold_themselves_many_times_over_run_out_of_fuel() {
    let doubled = "{% set a = [a, a] %}\n".repeat(60);
    assert_refused(
        &format!("{{% set a = [1] %}}{doubled}{{{{ a ~ 'x' }}}}"),
        "does not come to an end",
    );
    assert_refused(&grown("[1]", "ns.a + ns.a"), "does not come to an end");
    assert_refused(&grown("[1]", "[ns.a, ns.a]"), "does not come to an end");
    let withs = "{% with a = [a, a], b = (b, b) %}\n".repeat(60);
    assert_refused(
        &format!(
            "{{% set a = [1] %}}{{% set b = [1] %}}{withs}{{{{ a ~ b }}}}{}",
            "{% endwith %}".repeat(60)
        ),
        "does not come to an end",
    );
    let fors = "{% for a in [[a, a]] %}\n".repeat(60);
    assert_refused(
        &format!(
            "{{% set a = [1] %}}{fors}{{{{ a ~ 'x' }}}}{}",
            "{% endfor %}".repeat(60)
        ),
        "does not come to an end",
    );
    for template in [
        "{% macro m(x, n) %}{{ m([x, x], n - 1) if n else (x ~ 'x') }}{% endmacro %}{{ m([1], 40) }}",
        "{% macro m(x, n) -%} {% if n %}{% call(y) m([x, x], n - 1) %}{% endcall %}{% else %}{{ caller(x) }}{% endif %}\
         {% endmacro %}{% call(y) m([1], 40) %}{{ y ~ 'x' }}{% endcall %}",
    ] {
        assert_refused(template, "does not come to an end");
    }
}

/// What is bound goes through a filter, which must not show.
#[test]
fn bound_values_are_what_they_were() {
    for (template, expected) in [
        (
            "{% set a = 1 == 2 %}{{ a }}{% set b, c = 1, 2 %}{{ b }}{{ c }}{% set d = 1, 2 %}{{ d }}",
            "False12(1, 2)",
        ),
        (
            "{% set a = nothing %}{{ a is defined }}{% set b = (1 if false) %}{{ b is defined }}",
            "FalseFalse",
        ),
        ("{% set a = 1 -%}  x{% set b = -1 +%}\n{{ a + b }}", "x\n0"),
        (
            "{% set a='}%' %}{{ a }}{% set b = \"it's\" %}{{ b }}",
            "}%it's",
        ),
        ("{% set a %}x = y{% endset %}{{ a }}", "x = y"),
        (
            "{% with a = 1, b = {'x': [2, 3], 'y': (4,)} %}{{ a }}{{ b }}{% endwith %}",
            "1{'x': [2, 3], 'y': (4,)}",
        ),
        ("{% with %}{{ 1 }}{% endwith %}", "1"),
        (
            "{% for x in [1, 2, 3] if x > 1 %}{{ x }}/{{ loop.length }} {% endfor %}",
            "2/2 3/2 ",
        ),
        (
            "{% for x in [[1], [2]] recursive %}{{ loop(x) if x is iterable else x }}{% endfor %}",
            "12",
        ),
        (
            "{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% else %}none{% endfor %}",
            "a1",
        ),
        ("{% for c in 'abc' %}{{ c }}-{% endfor %}", "a-b-c-"),
        (
            "{% for x in nothing %}{{ x }}{% else %}none{% endfor %}",
            "none",
        ),
        (
            "{% for x in [1, 2] %}{% set l = loop %}{{ l.index }}{{ l.last }}{% endfor %}",
            "1False2True",
        ),
        (
            "{% macro m(a, b='x,(', c=[1, 2]) -%}  {{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }}|{{ m(1, c=2) }}",
            "1x,([1, 2]|1x,(2",
        ),
        (
            "{% macro m(a, b) %}{{ b is defined }}{% endmacro %}{{ m(1) }}",
            "False",
        ),
        (
            "{% macro m() %}{{ caller(1, [2]) }}{% endmacro %}{% call(x, y) m() %}{{ x }}{{ y }}{% endcall %}",
            "1[2]",
        ),
        (
            "{% set g = [{'a': 1, 'b': 2}] | groupby('a') %}{% for x in g %}{{ x.grouper }}{{ x.list }}{% endfor %}",
            "1[{'a': 1, 'b': 2}]",
        ),
        (
            "{% set m = messages[0] %}{{ m.role }}{{ m['content'] }}",
            "usera question",
        ),
        (
            "{% set ns = namespace(a=1, b=[]) %}{% set ns.b = ns.b + [ns.a] %}{{ ns.b }}",
            "[1]",
        ),
        (
            "{{ ['a', 1, none, [2]] | join(', ') }}|{{ 'abc' | join('-') }}",
            "a, 1, None, [2]|a-b-c",
        ),
        (
            "{{ [{'a': {'b': 1}}, {'a': {'b': 2}}] | join(d='+', attribute='a.b') }}",
            "1+2",
        ),
    ] {
        assert_renders(template, expected);
    }
    // A list that grows with the conversation.
    let list = grown("[]", "ns.a + [i]").replace("99999", "2000");
    assert_renders(&(list + "{{ ns.a | length }}"), "2000");
    for broken in [
        "{% set a = %}x",
        "{% set a = b) + (c %}x",
        "{% for x in %}{% endfor %}",
        "{% with a = , b = 1 %}{% endwith %}",
    ] {
        assert!(render(broken).is_err(), "{broken}");
    }
}
