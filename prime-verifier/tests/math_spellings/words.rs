//! Choices, words, units, money, percentages, layout.

use super::{always, different, equal, never};

#[test]
fn choices() {
    always(&[
        (r"\text{(B)}", "B"),
        ("(B)", r"\textbf{B.}"),
        ("B)", "B"),
        ("B", r"\text{(B) }12"),
        (r"(A)\ ", "A."),
    ]);
    equal(&[(r"\text{(B) }12", "12")]);
    different(&[
        ("B", "C"),
        ("(B)", "(C)"),
        ("A", "a"),
        (r"\text{(B) }12", r"\text{(C) }12"),
        (r"\text{(A) }5", r"\text{(A) }6"),
        ("A, B", "A"),
    ]);
}

#[test]
fn words() {
    always(&[
        (r"\text{east}", "East"),
        (r"\text{Monday}", "Monday"),
        (r"\mathrm{True}", "True"),
        (r"\text{infinity}", r"\infty"),
    ]);
    equal(&[
        (r"\text{two}", "2"),
        (r"\text{no solution}", r"\text{No solutions}"),
    ]);
    different(&[
        (r"\text{Yes}", "no"),
        (r"\text{even}", r"\text{odd}"),
        (r"\text{Monday}", "Tuesday"),
        ("True", "1"),
        ("False", "0"),
        (r"\text{two}", "3"),
    ]);
}

#[test]
fn units() {
    always(&[
        (r"5\text{ cm}", "5 cm"),
        (r"5\text{ cm}", r"5\mathrm{cm}"),
        (r"5\text{ cm}^2", r"5\text{ square centimeters}"),
        (r"60\text{ mph}", r"60\text{ miles per hour}"),
        (r"5\text{ m}", "5m"),
        (r"5\text{ million}", "5000000"),
    ]);
    equal(&[
        (r"5\text{ cm}", "5"),
        (r"500\text{ cm}", r"5\text{ m}"),
        (r"1\text{ hour}", r"60\text{ minutes}"),
        (r"2\text{ km}", r"2000\text{ m}"),
        (r"1\text{ h}", r"60\text{ min}"),
        (r"5\text{ min}", "5"),
        (r"1 \text{ liter}", r"1000\text{ cm}^3"),
        (r"3\text{ apples}", "3"),
    ]);
    different(&[
        (r"5\text{ cm}", r"5\text{ m}"),
        (r"1\text{ hour}", r"1\text{ minute}"),
        (r"5\text{ m/s}", r"5\text{ km/h}"),
        (r"3\text{ apples}", "4"),
        (r"5\text{ cm}", "6"),
    ]);
}

#[test]
fn units_do_not_eat_variables() {
    always(&[("5+3t", "3t+5"), ("5m", r"m\cdot 5")]);
    never(&[
        ("16t", "16"),
        ("27ab", "27"),
        ("x^2-5t", "x^2-5"),
        ("4g", "4"),
        ("5m", "5"),
        ("3h", "3"),
        ("5s", "5"),
        (r"5\text{ times }x", "5"),
    ]);
}

#[test]
fn words_that_change_a_number_are_not_units() {
    never(&[
        (r"5\text{ squared}", "5"),
        (r"5\text{ cubed}", "5"),
        (r"5\text{ factorial}", "5"),
        (r"5\text{ dozen}", "5"),
        (r"5\text{ hundred}", "5"),
        (r"5\text{ thousand}", "5"),
        (r"5\text{ million}", "5"),
        (r"5\text{ or more}", "5"),
        (r"5\text{ over }7", "5"),
        (r"5\text{ plus }7", "5"),
        (r"5\text{ base }8", "5"),
        (r"5\text{ remainder }2", "5"),
        (r"\text{at least }5", "5"),
        (r"\text{less than }5", "5"),
        (r"\text{negative }5", "5"),
    ]);
}

#[test]
fn money() {
    always(&[
        (r"\$5.00", r"\$5"),
        (r"\$5", r"5\text{ dollars}"),
        ("€5", "5 €"),
    ]);
    equal(&[
        (r"\$5", "5"),
        (r"\$1", r"100\text{ cents}"),
        (r"\$1,234.50", "1234.5"),
    ]);
    different(&[
        (r"\$5", "5€"),
        (r"\$5", r"\$6"),
        (r"\$5", r"5\text{ cents}"),
    ]);
}

#[test]
fn percent() {
    always(&[
        (r"5\%", "0.05"),
        ("5%", "5 percent"),
        (r"12.5\%", "1/8"),
        (r"\frac{1}{3}", r"33\frac13\%"),
    ]);
    equal(&[(r"5\%", "5")]);
    different(&[(r"5\%", "0.5"), (r"5\%", r"6\%"), (r"50\%", "5")]);
}

#[test]
fn layout() {
    always(&[
        ("$5$", "5"),
        ("$$5$$", r"\[5\]"),
        (r"\(5\)", "5"),
        (r"\boxed{5}", "5"),
        ("5.", "5"),
        (r"\displaystyle\frac12", "1/2"),
        (r"\left(\frac{1}{2}\right)", r"\frac12"),
        (r"x\,y", "x y"),
        ("{{5}}", "5"),
        (r"\mathbf{5}", r"\textbf{5}"),
        (r"\text{5}", "5"),
        (r"\text{5 or 6}", "5, 6"),
    ]);
}
