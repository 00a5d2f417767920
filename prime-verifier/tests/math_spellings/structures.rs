//! Tuples, lists, sets, intervals, matrices.

use super::{always, different, equal};

#[test]
fn tuples_and_lists() {
    always(&[
        ("(1,2)", r"\left( 1, 2 \right)"),
        (r"(\frac12, 3)", "(0.5, 3)"),
        ("((1,2),3)", "((1,2),3.0)"),
        (r"1 \text{ or } 2", "1, 2"),
        ("1,2,3", "1, 2, and 3"),
        (r"\pm 2", "2,-2"),
        (r"1\pm\sqrt2", r"1+\sqrt2, 1-\sqrt2"),
    ]);
    equal(&[
        (r"\langle 1,2\rangle", "(1,2)"),
        ("1, 2", "2, 1"),
        (r"1\text{ and }2", "2,1"),
        ("(1,2),(3,4)", "(3,4),(1,2)"),
        ("(1,2)", "1,2"),
        ("98,99,100,101", "101,100,99,98"),
    ]);
    different(&[
        ("(1,2)", "(2,1)"),
        ("(1,2)", "(1,2,3)"),
        ("((1,2),3)", "(1,2,3)"),
        ("1, 2", "1, 3"),
        ("1, 2", "1"),
        ("1", "1, 2"),
        ("(1,2),(3,4)", "(2,1),(4,3)"),
        (r"\pm 2", "2"),
        (r"1\pm\sqrt2", r"1+\sqrt2"),
        ("1, 2, 3", "1, 2, ..., 3"),
    ]);
}

#[test]
fn sets() {
    always(&[
        (r"\{1,2\}", r"\{2,1\}"),
        (r"\left\{1,2\right\}", r"\lbrace 1, 2\rbrace"),
        (r"\{1,1,2\}", r"\{1,2\}"),
        (r"\{1\}\cup\{2\}", r"\{1,2\}"),
        (r"\{(1,2),(3,4)\}", r"\{(3,4),(1,2)\}"),
        (r"\{-\sqrt2,\sqrt2\}", r"\{\pm\sqrt2\}"),
        (r"\emptyset", r"\varnothing"),
        ("∅", r"\{\}"),
        (r"A\cup B", r"B \cup A"),
    ]);
    equal(&[
        (r"\{1,2\}", "1,2"),
        (r"\{5\}", "5"),
        (r"\emptyset", r"\text{no solution}"),
    ]);
    different(&[
        (r"\{1,2\}", r"\{1,3\}"),
        (r"\{1,2\}", r"\{1,2,3\}"),
        (r"\{1,2\}", "(1,2)"),
        (r"\{(1,2),(3,4)\}", r"\{(2,1),(3,4)\}"),
        (r"\emptyset", "0"),
        (r"\emptyset", r"\{0\}"),
        (r"\{\emptyset\}", r"\emptyset"),
        (r"A\cup B", r"A\cap B"),
    ]);
}

#[test]
fn named_sets_and_builders() {
    always(&[
        (r"\mathbb R", r"(-\infty,\infty)"),
        (r"\mathbb{R}", r"\text{all real numbers}"),
        (r"\mathbb{R}\setminus\{0\}", r"(-\infty,0)\cup(0,\infty)"),
        (r"\{x : x>2\}", r"(2,\infty)"),
        (r"\{x\in\mathbb{R} : x\ge2\}", r"[2,\infty)"),
    ]);
    equal(&[
        (r"\mathbb{R}\setminus\{0\}", r"x \neq 0"),
        (r"\{x \mid x>2\}", "x>2"),
    ]);
    different(&[
        (r"\mathbb{R}", r"\mathbb{Z}"),
        (r"\{x : x>2\}", r"[2,\infty)"),
        (r"\{x : x>2\}", r"\{x : x<2\}"),
    ]);
}

#[test]
fn intervals() {
    always(&[
        ("(1,2]", r"\left(1,2\right]"),
        (r"[\sqrt{4}, 3]", "[2,3]"),
        (r"x \in (-\infty,3)", "x<3"),
        (r"[1,2]\cup[3,4]", r"[3,4]\cup[1,2]"),
        (r"[1,2]\cup[2,4]", "[1,4]"),
        (r"[1,3]\cap[2,4]", "[2,3]"),
        (r"(1,3)\cup\{3\}", "(1,3]"),
        ("[0,1[", "[0,1)"),
    ]);
    equal(&[
        ("(-∞, 3)", "x<3"),
        (r"1<x\le 2", "(1,2]"),
        (r"x\le-1 \text{ or } x\ge3", r"(-\infty,-1]\cup[3,\infty)"),
    ]);
    different(&[
        ("(1,2]", "[1,2]"),
        ("[-4,15)", "[-4,15]"),
        (r"(2,\infty)", r"(-\infty,2)"),
        (r"[1,2]\cup[3,4]", "[1,4]"),
        (r"1<x\le 2", "[1,2)"),
        (r"x\le-1 \text{ and } x\ge3", r"(-\infty,-1]\cup[3,\infty)"),
    ]);
}

#[test]
fn matrices() {
    always(&[
        (
            r"\begin{pmatrix}1&2\\3&4\end{pmatrix}",
            r"\begin{bmatrix}1&2\\3&4\end{bmatrix}",
        ),
        (
            r"\begin{pmatrix}1\\2\end{pmatrix}",
            r"\begin{pmatrix}1\\2\\\end{pmatrix}",
        ),
        (
            r"\begin{pmatrix}1/2&0\\0&1\end{pmatrix}",
            r"\begin{pmatrix}0.5&0\\0&1\end{pmatrix}",
        ),
        (r"\begin{vmatrix}1&2\\3&4\end{vmatrix}", "-2"),
        (r"\det\begin{pmatrix}1&2\\3&4\end{pmatrix}", "-2"),
        (
            r"2\begin{pmatrix}1&2\\3&4\end{pmatrix}",
            r"\begin{pmatrix}2&4\\6&8\end{pmatrix}",
        ),
        (
            r"\begin{array}{cc}1&2\\3&4\end{array}",
            r"\begin{pmatrix}1&2\\3&4\end{pmatrix}",
        ),
        (r"2\mathbf{i}+3\mathbf{j}", r"2\vec{i}+3\vec{j}"),
    ]);
    equal(&[(r"\begin{pmatrix}1\\2\end{pmatrix}", "(1,2)")]);
    different(&[
        (
            r"\begin{pmatrix}1&2\\3&4\end{pmatrix}",
            r"\begin{pmatrix}1&3\\2&4\end{pmatrix}",
        ),
        (
            r"\begin{pmatrix}1\\2\end{pmatrix}",
            r"\begin{pmatrix}1&2\end{pmatrix}",
        ),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "1,2,3,4"),
    ]);
}
