//! Responses: an answer in the prose of a model, or in a heap of marks.

use crate::generate::Grammar;
use crate::mutate;
use crate::random::Random;

const AROUND: &[(&str, &str)] = &[
    ("", ""),
    (r"So the result is \boxed{", "}."),
    (r"$$\boxed{", "}$$"),
    (r"\boxed ", ""),
    (r"\fbox{", "} or so"),
    ("The final answer is $", "$. I hope it is correct."),
    ("Final Answer: ", ""),
    ("**Answer:** ", "\n"),
    ("**", "**"),
    ("the answer is: ", ". Done!"),
    (r"Hence \[", r"\]"),
    (r"Hence \(", r"\)"),
    ("Therefore $x = ", "$."),
    ("<think>no \\boxed{1}</think> ", ""),
    ("<think>", ""),
    (r"\boxed{1}, \boxed{2} and \boxed{", "}"),
    (r"\boxed{\text{", "}}"),
    ("answer: (B) ", ""),
    ("# Solution\n\n1. We see that 3 = 3.\n2. ", "\n\n\\boxed{"),
];

const MARKS: &[&str] = &[
    r"\boxed{",
    r"\boxed",
    r"\fbox{",
    "{",
    "}",
    "$",
    "$$",
    r"\$",
    r"\(",
    r"\)",
    r"\[",
    r"\]",
    "**",
    "*",
    "final answer is ",
    "The final answer: ",
    "answer is ",
    "answer:",
    "solution is",
    "<think>",
    "</think>",
    " and ",
    ", ",
    " or ",
    ". ",
    "\n",
    "\n\n",
    "1",
    "(A)",
    "A",
    " ",
    "=",
    r"\text{",
    "is",
    "I hope it is correct",
    "−",
    "é",
    "日本",
    r"\\",
    r"\{",
    r"\begin{",
    "```",
    "#",
    ":",
    "  ",
];

pub fn response(answer: &str, gold: &str, grammar: &Grammar, random: &mut Random) -> String {
    let mut text = String::new();
    match random.below(32) {
        // Boxes, dollars and phrases in great number.
        0 if random.once_in(8) => {
            let mark = format!("{}{}", random.pick(MARKS), random.pick(MARKS));
            text.push_str(&mark.repeat(1 + random.below((1 << 17) / mark.len())));
        }
        0..4 => {
            for _ in 0..1 + random.skewed(200) {
                text.push_str(random.pick(MARKS));
            }
        }
        _ => {}
    }
    let (before, behind) = random.pick(AROUND);
    text.push_str(before);
    text.push_str(answer);
    text.push_str(behind);
    if random.once_in(8) {
        text.push_str(random.pick(MARKS));
        text.push_str(gold);
    }
    if random.once_in(8) {
        return mutate::mutated(&text, gold, grammar, random);
    }
    text
}
