//! Problems with answers and solutions.

use super::*;

#[test]
fn problems_with_their_answer() {
    let cases = [
        Case {
            of: "gsm8k",
            layout: "question, answer",
            row: r#####"{"question":"1+1?","answer":"One and one: 1+1=<<1+1=2>>2.\n#### 2"}"#####,
            ..PLAIN
        },
        Case {
            of: "gsm8k with thousands",
            layout: "question, answer",
            row: r#####"{"question":"1+1?","answer":"So.\n#### 1,200"}"#####,
            golds: &["1,200"],
            ..PLAIN
        },
        Case {
            of: "GSM-Symbolic",
            layout: "question, answer",
            row: r#####"{"id":1,"instance":0,"question":"1+1?","answer":"Two.\n#### 2","original_id":3,"original_question":"2+2?","original_answer":"#### 4","canary":"x"}"#####,
            ..PLAIN
        },
        Case {
            of: "MGSM",
            layout: "question, answer_number",
            row: r#"{"question":"1+1?","answer":"Step-by-Step Answer: The answer is 2.","answer_number":2,"equation_solution":"1+1"}"#,
            ..PLAIN
        },
        Case {
            of: "MATH-500",
            layout: "problem, answer",
            row: r#"{"problem":"1+1?","solution":"So $\\boxed{2}$.","answer":"2","subject":"Algebra","level":1,"unique_id":"test/1.json"}"#,
            ..PLAIN
        },
        Case {
            of: "DeepScaleR",
            layout: "problem, answer",
            row: r#"{"problem":"1+1?","answer":"\\frac{1}{2}","solution":"..."}"#,
            golds: &["\\frac{1}{2}"],
            ..PLAIN
        },
        Case {
            of: "Big-Math",
            layout: "problem, answer",
            row: r#"{"problem":"1+1?","answer":"2","source":"orca_math","domain":["Mathematics -> Algebra"],"llama8b_solve_rate":0.7}"#,
            ..PLAIN
        },
        Case {
            of: "NuminaMath-1.5",
            layout: "problem, answer",
            row: r#"{"problem":"1+1?","solution":"...","answer":"2","problem_type":"Algebra","question_type":"math-word-problem","problem_is_valid":"Yes","solution_is_valid":"Yes","source":"olympiads","synthetic":false}"#,
            ..PLAIN
        },
        Case {
            of: "OpenR1-Math-220k",
            layout: "problem, answer",
            row: r###"{"problem":"1+1?","solution":"## Solution.\nSo 2.","answer":"2","problem_type":"Algebra","question_type":"math-word-problem","source":"olympiads","uuid":"u","is_reasoning_complete":[true,true],"generations":["a","b"],"correctness_math_verify":[true,false],"correctness_llama":null,"finish_reasons":null,"correctness_count":1,"messages":[{"role":"user","content":"1+1?"},{"role":"assistant","content":"2"}]}"###,
            ..PLAIN
        },
        Case {
            of: "Polaris",
            layout: "problem, answer",
            row: r#"{"problem":"1+1?","answer":"2","difficulty":"5/8"}"#,
            ..PLAIN
        },
        Case {
            of: "Omni-MATH",
            layout: "problem, answer",
            row: r#"{"domain":["Mathematics"],"difficulty":8.0,"problem":"1+1?","solution":"...","answer":"2","source":"imo"}"#,
            ..PLAIN
        },
        Case {
            of: "AMC",
            layout: "problem, answer",
            row: r#"{"id":0,"problem":"1+1?","answer":2.0,"url":"u"}"#,
            golds: &["2.0"],
            ..PLAIN
        },
        Case {
            of: "AIME 2024",
            layout: "Problem, Answer",
            row: r#"{"ID":"2024-I-1","Problem":"1+1?","Solution":"...","Answer":2}"#,
            ..PLAIN
        },
        Case {
            of: "AIME 2024 and 2025 in lower case",
            layout: "problem, answer",
            row: r#"{"id":60,"problem":"1+1?","solution":"...","answer":"2","url":"u","year":"2024"}"#,
            ..PLAIN
        },
        Case {
            of: "AIME 1983 to 2024",
            layout: "Question, Answer",
            row: r#"{"ID":"1983-1","Year":1983,"Problem Number":1,"Question":"1+1?","Answer":"2","Part":null}"#,
            ..PLAIN
        },
        Case {
            of: "LIMO",
            layout: "question, answer",
            row: r#"{"question":"1+1?","solution":"Long thoughts. **Final Answer**\n\\boxed{2}","answer":"2"}"#,
            ..PLAIN
        },
        Case {
            of: "DeepMath-103K",
            layout: "question, final_answer",
            row: r#"{"question":"1+1?","final_answer":"2","difficulty":5.0,"topic":"Calculus","r1_solution_1":"a","r1_solution_2":"b","r1_solution_3":"c"}"#,
            ..PLAIN
        },
        Case {
            of: "OlympiadBench",
            layout: "question, final_answer",
            row: r#"{"id":1606,"question":"1+1?","solution":["So."],"final_answer":["$2$"],"context":null,"image_1":null,"modality":"Text-only","is_multiple_answer":false,"unit":null,"answer_type":"Numerical","error":null,"question_type":"Open-ended","subfield":"Algebra","subject":"Math","language":"English"}"#,
            golds: &["$2$"],
            ..PLAIN
        },
        Case {
            of: "Minerva",
            layout: "question, answer",
            row: r#"{"question":"1+1?","answer":"2"}"#,
            ..PLAIN
        },
        Case {
            of: "OpenMathReasoning",
            layout: "problem, expected_answer",
            row: r#"{"expected_answer":"2","problem_type":"has_answer_extracted","problem_source":"aops","generation_model":"m","pass_rate_72b_tir":"0.9","problem":"1+1?","generated_solution":"<think>","inference_mode":"cot"}"#,
            ..PLAIN
        },
        Case {
            of: "OpenMathInstruct-1",
            layout: "question, expected_answer",
            row: r#"{"question":"1+1?","expected_answer":"2","predicted_answer":"3","generated_solution":"x","is_correct":false,"dataset":"gsm8k"}"#,
            ..PLAIN
        },
        Case {
            of: "SVAMP",
            layout: "Body, Question, Answer",
            row: r#"{"ID":"chal-1","Body":"There is 1.","Question":"1+1?","Equation":"( 1 + 1 )","Answer":"2.0","Type":"Addition","question_concat":"There is 1. 1+1?"}"#,
            prompt: &["u:There is 1. 1+1?"],
            golds: &["2.0"],
            ..PLAIN
        },
        Case {
            of: "ASDiv",
            layout: "body, question, answer",
            row: r#"{"body":"There is 1.","question":"1+1?","solution_type":"Addition","answer":"2 (apples)","formula":"1+1=2"}"#,
            prompt: &["u:There is 1. 1+1?"],
            ..PLAIN
        },
        Case {
            of: "TRL: prompt, answer",
            layout: "prompt, answer",
            row: r#"{"prompt":"1+1?","answer":"2"}"#,
            ..PLAIN
        },
        Case {
            of: "TRL: messages, ground_truth",
            layout: "prompt, ground_truth",
            row: r#"{"prompt":[{"role":"user","content":"1+1?"}],"ground_truth":"2"}"#,
            ..PLAIN
        },
        Case {
            of: "slime",
            layout: "prompt, label",
            row: r#"{"prompt":[{"role":"user","content":"1+1?"}],"label":"2"}"#,
            ..PLAIN
        },
    ];
    check(&cases, &Ability::Math);
}

#[test]
fn problems_with_a_solution_that_holds_the_answer() {
    let cases = [
        Case {
            of: "MATH",
            layout: "problem, solution",
            row: r#"{"problem":"1+1?","level":"Level 1","type":"Algebra","solution":"First $\\boxed{3}$, no: $\\boxed{\\frac{4}{2}}$."}"#,
            golds: &["\\frac{4}{2}"],
            ..PLAIN
        },
        Case {
            of: "NuminaMath-CoT",
            layout: "problem, solution",
            row: r#"{"source":"cn_k12","problem":"1+1?","solution":"So $\\boxed{2}$.","messages":[{"content":"1+1?","role":"user"},{"content":"So $\\boxed{2}$.","role":"assistant"}]}"#,
            ..PLAIN
        },
        Case {
            of: "NuminaMath-TIR",
            layout: "problem, solution",
            row: r#"{"problem":"1+1?","solution":"```python\nprint(1+1)\n```\n```output\n2\n```\nThe answer is \\(\\boxed{2}\\).","messages":[]}"#,
            ..PLAIN
        },
        Case {
            of: "NuminaMath-1.5 with no answer but a solution",
            layout: "problem, solution",
            row: r#"{"problem":"1+1?","solution":"So $\\boxed{2}$.","answer":null}"#,
            ..PLAIN
        },
        Case {
            of: "s1K",
            layout: "question, solution",
            row: r#"{"question":"1+1?","solution":"2","cot_type":"math","attempt":"x"}"#,
            ..PLAIN
        },
        Case {
            of: "TRL: messages and a solution that is an answer",
            layout: "prompt, solution",
            row: r#"{"prompt":[{"role":"user","content":"1+1?"}],"solution":"$2$"}"#,
            golds: &["$2$"],
            ..PLAIN
        },
        Case {
            of: "TRL: prompt and a solution with a box",
            layout: "prompt, solution",
            row: r#"{"prompt":"1+1?","solution":"So $\\boxed{2}$."}"#,
            ..PLAIN
        },
        Case {
            of: "TRL: completion",
            layout: "prompt, completion",
            row: r#####"{"prompt":[{"role":"user","content":"1+1?"}],"completion":[{"role":"assistant","content":"Two.\n#### 2"}]}"#####,
            ..PLAIN
        },
        Case {
            of: "TRL: completion as text",
            layout: "prompt, completion",
            row: r#"{"prompt":"1+1?","completion":"The answer is 2."}"#,
            ..PLAIN
        },
        Case {
            of: "AReaL",
            layout: "prompt, solutions",
            row: r#"{"prompt":"1+1?","task":"math","query_id":"q","solutions":["\\boxed{2}"]}"#,
            ..PLAIN
        },
        Case {
            of: "MetaMathQA",
            layout: "query, response",
            row: r#####"{"type":"GSM_Rephrased","query":"1+1?","original_question":"What is 1+1?","response":"It is 1+1 = 2.\n#### 2\nThe answer is: 2"}"#####,
            ..PLAIN
        },
        Case {
            of: "MetaMathQA without hashes",
            layout: "query, response",
            row: r#"{"type":"MATH_Rephrased","query":"1+1?","original_question":"What is 1+1?","response":"It is 1 and 1, so two. The answer is: 2"}"#,
            ..PLAIN
        },
        Case {
            of: "ScaleQuest-Math",
            layout: "query, response",
            row: r#"{"query":"1+1?","response":"To find it, add. The final answer is: $\\boxed{2}$"}"#,
            ..PLAIN
        },
        Case {
            of: "OpenThoughts' metadata",
            layout: "problem, ground_truth_solution",
            row: r#"{"problem":"1+1?","deepseek_reasoning":"a","deepseek_solution":"b","ground_truth_solution":"So $\\boxed{2}$.","domain":"math","source":"numina","test_cases":null,"starter_code":null}"#,
            ..PLAIN
        },
    ];
    check(&cases, &Ability::Math);
}
