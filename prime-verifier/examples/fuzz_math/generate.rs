//! Answers by grammar: templates that are filled in until a depth.

use super::random::Random;

/// In templates: `#` a scalar, `§` any answer, `@` a small integer, `µ` a variable, `¶` a number in some notation, `¤` words
/// or a unit.
const SCALARS: &[&str] = &[
    "#+#", "#-#", "-#", "#+#-#", "# # #", r"#\cdot #", r"#\times #", "#*#", "#/#", "(#)", "(#)(#)", "@#", "@(#)",
    r"\left(#\right)", r"\frac{#}{#}", r"\frac{#}{#}", r"\dfrac{#}{#}", r"\tfrac@@", r"\frac#{#}", "(#)/(#)", r"#\div #",
    "#^@", "#^{#}", "#^{-@}", "(#)^{@}", "(#)^{#}", "@^{@^{@}}", "#^{#^{#}}", r"#^\frac{@}{@}", "(-@)^{#}", "µ^{@}", "#**@",
    r"\sqrt{#}", r"\sqrt #", r"\sqrt[@]{#}", r"\sqrt[#]{#}", "sqrt(#)", "√#", "√(#)", r"@\sqrt{@}", r"\sqrt{@+@\sqrt{@}}",
    "@!", "(#)!", "@!!", r"\binom{@}{@}", r"\binom{#}{#}", r"\dbinom{µ}{@}", "C_{@}^{@}", "P_@^@", r"{}_{@}P_{@}",
    r"\sum_{k=@}^{@} #", r"\sum_{k=1}^{µ} k^{@}", r"\sum_{k=@}^{\infty} \frac{1}{@^k}", r"\prod_{k=@}^{@} (#)",
    r"\prod_{i=1}^{@} \frac{i}{i+@}", r"\sum_{i=1}^{@}\sum_{j=1}^{i} #", r"\sum_{d\mid @} d", r"∑_{k=1}^@ k",
    r"\int_{@}^{@} # \,dx", r"\int_0^{\pi} \sin x\,dx", r"\int_{-\infty}^{\infty} e^{-x^2} dx", r"\int # dx",
    r"\int_0^1 \frac{1}{#} dx", r"\int_0^1\int_0^1 # \,dx\,dy", r"\lim_{x\to @} #", r"\lim_{n\to\infty} \frac{#}{#}",
    r"\frac{d}{dx} #", r"\frac{\partial #}{\partial x}", "f'(x)", "f(#)", r"f^{-1}(#)", "a_{#}", "x_@", "a_n",
    r"\log #", r"\log_{#} #", r"\log_@ @", r"\ln #", r"\ln(#)", r"\lg @", "log(#)", "ln #", r"\log_{@}(#)^@", "e^{#}", r"\exp(#)",
    r"\sin #", r"\cos(#)", r"\tan{#}", r"\sin^@ #", r"\sin^{-1} #", r"\arcsin(#)", r"\arctan #", r"\cot #", r"\sec #", r"\csc #",
    r"\sin @^\circ", r"\cos\frac{\pi}{@}", "sin(pi/@)", r"\sinh #", r"\cosh #", r"\tanh(#)", r"\arccos{\frac{@}{@}}", "tan^2 µ",
    r"\left|#\right|", "|#|", r"\lfloor # \rfloor", r"\lceil # \rceil", "⌊#⌋", r"\left\lfloor\frac{#}{#}\right\rfloor",
    r"\gcd(#,#)", r"\max(#,#)", r"\min\{#,#\}", r"\operatorname{lcm}(@,@)", r"\max(#,#,#)", r"# \bmod @", "mod(#,@)",
    r"\operatorname{Re}(#)", r"\Im(#)", r"\overline{#}", r"\overline{@@@}", r"\bar{z}", r"\hat{#}", r"\vec{µ}", r"|\vec{a}|",
    r"\begin{vmatrix} # & # \\ # & # \end{vmatrix}", r"\det\begin{pmatrix} @ & # \\ # & @ \end{pmatrix}", "#i", "@+@i", "(@-@i)^@",
    r"i^{@}", r"@e^{i\pi/@}", r"\cos #+i\sin #", r"\frac{@+@i}{@-@i}", r"#^\circ", "@°", r"@\pi", r"\frac{@\pi}{@}", "µ", "µ", "¶",
    r"@\frac{@}{@}", "@ @/@", "½", "@½", "#²", "x³", "{#}", "{@}#", "#.@", r"\mathrm{#}", r"\mathbf{µ}", r"\boxed{#}", "#'",
    r"(1+\frac{1}{µ})^{µ}", r"\frac{µ^{@}-1}{µ-1}", r"\frac{µ!}{(µ-@)!}", r"@^{µ+@}-@^{µ}", r"(-1)^{µ}", r"\sqrt{µ^2}", r"\ln(µ^@)",
];

const ANSWERS: &[&str] = &[
    "#", "#", "#", "#", "(#, #)", "(#,#,#)", "[#, #)", "(#,#]", "[#,#]", r"(-\infty, #)", r"[#, \infty)", r"(-\infty, #]\cup[#, \infty)",
    r"(#,#) \cup (#,#)", r"[#,#]\cap(#,#)", r"\mathbb{R}\setminus\{#\}", r"\mathbb R", r"\emptyset", "∅", r"[#,#]\cup\{#\}",
    r"(#,#)\cup(#,#)\cup(#,#)", r"\{#\}", r"\{#, #\}", r"\{#,#,#\}", r"\left\{§, §\right\}", "{#,#}", r"\{(#,#),(#,#)\}",
    r"\{x : #<x<#\}", r"\{x \in \mathbb{R} \mid x \ne #\}", r"\{@k : k \in \mathbb{Z}\}", r"\{#, #, \ldots, #\}", r"\{1,2,\dots\}",
    "#, #", "#, #, #", "# and #", r"#\text{ or }#", "#; #", r"\text{# and #}", "(#,#),(#,#)", "§, §", "§ and §", "§ or §", "(§,§)",
    r"\begin{pmatrix} # & # \\ # & # \end{pmatrix}", r"\begin{bmatrix} # \\ # \\ # \end{bmatrix}", r"\begin{pmatrix} # & # & # \end{pmatrix}",
    r"\left(\begin{array}{cc} # & # \\ # & # \end{array}\right)", r"\begin{pmatrix} # \\ # \end{pmatrix}^T", r"@\begin{pmatrix} # \\ # \end{pmatrix}",
    r"\begin{pmatrix} #&#\\#&# \end{pmatrix}\begin{pmatrix} # \\ # \end{pmatrix}", r"\begin{pmatrix} @&#\\#&@ \end{pmatrix}^{-1}",
    r"\begin{cases} # & x < # \\ # & x \ge # \end{cases}", r"\begin{cases} x=# \\ y=# \end{cases}", r"\begin{cases} # & \text{if } § \\ # & \text{otherwise} \end{cases}",
    "x = #", "µ=#", "y = #x + #", "# = #", "#=#=#", "# < x < #", r"# \le x \le #", "x>#", r"x \ge #", r"x \ne #", r"#\leq µ<#", "x<# or x>#",
    r"x < #\text{ or }x > #", r"x \in [#,#)", r"x \in \{#,#\}", r"x \notin §", "x=# or x=#", "x=#, y=#", "(x,y)=(#,#)", "# ≤ #", r"#x+#y=#",
    r"x^2+y^2=#", r"(x-#)^2+(y-#)^2=#", r"f(x)=#", r"x\in§", r"# \ne #", r"#>x>#", r"a<b<c", r"#\approx #", r"§=§", r"§ < §",
    r"# \pmod{@}", r"# \equiv # \pmod{@}", r"x \equiv # \pmod #", r"@ (mod @)", r"# + @k, k \in \mathbb{Z}", r"@\pi k", r"#+2\pi n",
    r"# \pm #", r"\pm #", r"\pm#, \pm#", "x = # ± #", r"\frac{-# \pm \sqrt{#}}{#}", r"#\mp#", r"\pm # \pm #", r"(\pm#,\mp#)", "+-#", r"\pm\sqrt{@\pm\sqrt{@}}",
    r"#\%", "¶%", r"@\%", "# percent", r"@.@\\%", r"# ¤", r"# \text{ ¤}", r"#\,\mathrm{¤}", r"\$#", "$#$", r"¶ ¤", r"¶\text{ ¤}^2", r"@ ¤/¤", "¤", r"\text{¤}",
    r"@\text{ ¤ } @\text{ ¤}", r"@@@_{@}", "@@_@", r"@@_{\text{@}}", r"\text{@AB}_{16}", "(@@@)_@", "# : #", "@:@:@", "#:#", r"\text{(A)}", "(B)", "A", "(C) #", r"\textbf{(D)}\ #", "E. #",
    r"\frac{§}{§}", "§^§", "-§", r"\sqrt{§}", "§+§", r"|§|", r"§ ¤", "f(§)", r"\text{§}", r"\boxed{§}", r"(§)", r"[§]", r"\left[§\right]", r"\{§\}", r"\langle #, # \rangle", "$§$", r"\(§\)", r"\[§\]",
    r"§ \cup §", r"§\setminus§", r"§ \cap §", r"A \cup B", r"\mathbb{Z}", r"\mathbb{N}\times\mathbb{N}", r"§\times§", r"#\to #", r"A \Rightarrow B", r"AB \parallel CD", r"\angle ABC = @^\circ", r"\triangle ABC",
    "#+C", r"\ln|#|+C", r"#, µ \ge @", r"#, where # = #", r"# \text{ for } µ > @", r"#\quad (µ \in \mathbb{R})", "yes", "no solution", r"\text{none}", "two", "#...", r"#\ldots", r"1, 2, \ldots, @",
    r"\hat{i}+#\hat{j}", r"#\mathbf{i}-#\mathbf{j}", "x^2: @", "@.@@@ \\times 10^{@}", r"@ \cdot 10^{-@}", "@e@", "@.@E-@",
];

const WORDS: &[&str] = &[
    "cm", "m", "km", "cm^2", "miles", "hours", "h", "minutes", "s", "dollars", "cents", "units", "square units", "degrees", "kg", "feet", "inches", "apples", "g", "L",
    "meters per second", "m/s", "km/h", "mph", "hello world", "if", "and", "or", "otherwise", "even", "odd", "true", "p.m.", "a", "rad", "é", "日本", "\\", "{", "}", "$", "^2", "°C", "mod",
];

const VARIABLES: &[&str] = &[
    "x", "x", "x", "y", "n", "k", "a", "b", "t", "z", "i", "e", r"\pi", r"\theta ", r"\alpha ", "π", "θ", "x_1", "x_{12}", "a_n", "A", "C", "dx", "ab", "xy",
    r"\infty", "∞", "∂", "µ", "N", "d", "E", "I", "f", "P", "'",
];

/// A whole answer, `depth` templates deep at most.
pub fn answer(random: &mut Random) -> String {
    let mut out = String::new();
    // Short ones most of the time: that is where the odd readings are, and they are fast.
    let depth = 1 + random.skewed(5);
    fill(random, random_template(random_table(depth, ANSWERS, SCALARS), 0), depth, &mut out);
    out
}
