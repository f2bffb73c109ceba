//! `Plan`: several steps in one call; a string comes back to Python between them only where
//! it is not ASCII and a step needs this Python's tables.

use super::cut::{Cut, compiled, parts_of};
use super::foreign::{Foreign, same_text};
use super::strings::{Texts, as_list, detached, kinds_of, strings, to_python};
use super::{bad, normalization, scratch};
use crate::border::Border;
use agent_core_utils::text::plan::{Outcome, Step, run};
use agent_core_utils::text::{HashKind, Redactor};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};
use std::ops::Range;

enum Finish {
    Texts,
    Pieces(Cut),
    Hash(HashKind),
}

/// Steps made ready; see `agentcore.text.plan`.
#[pyclass(frozen, module = "agent_core_utils")]
pub(crate) struct Plan {
    steps: Vec<Step>,
    foreign: Vec<Option<Foreign>>, // by step
    finish: Finish,
    border: Border,
}

/// What became of one text: where it stands in the buffer, if it changed.
struct Done {
    outcome: Outcome,
    place: Range<usize>,
    pieces: Range<usize>,
}

impl Plan {
    /// Takes a step `(name, argument...)` in, as the package has checked it.
    fn add(&mut self, step: &Bound<'_, PyTuple>) -> PyResult<()> {
        let name: String = step.get_item(0)?.extract()?;
        let argument = |at: usize| step.get_item(at);
        let number = |at: usize| -> PyResult<usize> { argument(at)?.extract() };
        let word = |at: usize| -> PyResult<String> { argument(at)?.extract() };
        let mut foreign = None;
        match name.as_str() {
            "normalize" => {
                let flags = (argument(3)?.is_truthy()?, argument(4)?.is_truthy()?);
                let (options, own) = normalization(&argument(1)?, &argument(2)?, flags.0, flags.1)?;
                foreign = Some(own);
                self.steps.push(Step::Normalize(options));
            }
            "redact" => {
                let redactor = Redactor::new(kinds_of(Some(&argument(1)?))?);
                self.steps.push(Step::Redact(redactor));
            }
            "replace" => {
                let expression = compiled(&word(1)?)?;
                let parts = argument(2)?.cast_into::<PyTuple>()?;
                let parts = parts_of(&parts, expression.groups())?;
                self.steps.push(Step::Replace(expression, parts));
            }
            "hash" => {
                let kind = HashKind::of(&word(1)?).ok_or_else(|| bad("algorithm", &name))?;
                self.finish = Finish::Hash(kind);
                return Ok(());
            }
            other => {
                self.finish = Finish::Pieces(match other {
                    "tokenize" => Cut::tokens(&word(1)?)?,
                    "ngrams" => Cut::ngrams(number(1)?, &word(2)?)?,
                    "sentences" => Cut::Sentences,
                    "chunk" => Cut::chunks(number(1)?, number(2)?, &word(3)?)?,
                    "extract" => {
                        let expression = compiled(&word(1)?)?;
                        let group = number(2)?;
                        if group > expression.groups() {
                            return Err(bad("group", group));
                        }
                        Cut::Matches(expression, group)
                    }
                    _ => return Err(bad("a step", other)),
                });
                return Ok(());
            }
        }
        self.foreign.push(foreign);
        Ok(())
    }

    /// Does what is left for a string that a step of Python's own has to see.
    fn go_on<'py>(
        &self,
        py: Python<'py>,
        mut string: Bound<'py, PyString>,
        mut step: usize,
    ) -> PyResult<Bound<'py, PyString>> {
        let (mut out, mut spare) = (Vec::new(), Vec::new());
        loop {
            if let Some(Some(foreign)) = self.foreign.get(step) {
                string = foreign.normalize(&string)?;
                step += 1;
            }
            let strings = [string.clone()];
            let texts = Texts::of(&strings)?;
            let outcome = run(&self.steps, step, texts.slices()[0], &mut out, &mut spare);
            match outcome {
                Outcome::Same => return Ok(string),
                Outcome::Changed => return to_python(py, &out),
                Outcome::Foreign {
                    step: next,
                    changed,
                } => {
                    if changed {
                        string = to_python(py, &out)?;
                    }
                    step = next;
                }
            }
        }
    }

    fn finish<'py>(
        &self,
        py: Python<'py>,
        text: &[u8],
        string: Option<&Bound<'py, PyString>>,
        pieces: Option<&[Option<Range<usize>>]>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match &self.finish {
            Finish::Texts => match string {
                Some(string) => Ok(string.clone().into_any()),
                None => Ok(to_python(py, text)?.into_any()),
            },
            Finish::Hash(kind) => {
                let mut hex = Vec::new();
                kind.hex(text, &mut hex);
                Ok(to_python(py, &hex)?.into_any())
            }
            Finish::Pieces(cut) => {
                let mut own = Vec::new();
                let pieces = pieces.unwrap_or_else(|| {
                    cut.find(text, &mut own);
                    &own
                });
                Ok(cut.render(py, text, string, pieces)?.into_any())
            }
        }
    }
}

#[pymethods]
impl Plan {
    #[new]
    #[pyo3(signature = (steps, on_fault=None))]
    fn new(steps: &Bound<'_, PyTuple>, on_fault: Option<Py<PyAny>>) -> PyResult<Self> {
        let mut plan = Self {
            steps: Vec::new(),
            foreign: Vec::new(),
            finish: Finish::Texts,
            border: Border::new("Plan", on_fault),
        };
        for step in steps {
            plan.add(&step.cast_into::<PyTuple>()?)?;
        }
        Ok(plan)
    }

    /// Returns what each string becomes.
    #[pyo3(signature = (texts))]
    fn run<'py>(&self, py: Python<'py>, texts: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let answer = || {
            let strings = strings("texts", &as_list("texts", texts)?)?;
            let texts = Texts::of(&strings)?;
            let slices = texts.slices();
            let mut buffer = scratch::bytes();
            buffer.clear();
            let mut pieces = Vec::new();
            let done: Vec<Done> = detached(py, texts.total(), || {
                let (mut out, mut spare) = (Vec::new(), Vec::new());
                let each = slices.iter().map(|text| {
                    let outcome = run(&self.steps, 0, text, &mut out, &mut spare);
                    let (from, first) = (buffer.len(), pieces.len());
                    let now: Option<&[u8]> = match outcome {
                        Outcome::Same => Some(text),
                        Outcome::Changed => Some(&out),
                        Outcome::Foreign { .. } => None,
                    };
                    match (&self.finish, now) {
                        (Finish::Hash(kind), Some(now)) => kind.hex(now, &mut buffer),
                        (Finish::Pieces(cut), Some(now)) => cut.find(now, &mut pieces),
                        _ => {}
                    }
                    let keeps = !matches!(self.finish, Finish::Hash(_)) || now.is_none();
                    if keeps && !matches!(outcome, Outcome::Same) {
                        buffer.extend_from_slice(&out);
                    }
                    Done {
                        outcome,
                        place: from..buffer.len(),
                        pieces: first..pieces.len(),
                    }
                });
                each.collect()
            });
            let mut results = Vec::with_capacity(strings.len());
            for ((string, text), done) in strings.iter().zip(&slices).zip(done) {
                let place = &buffer[done.place];
                let cut = Some(&pieces[done.pieces]);
                results.push(match (done.outcome, &self.finish) {
                    (Outcome::Foreign { step, changed }, _) => {
                        let start = if changed {
                            to_python(py, place)?
                        } else {
                            string.clone()
                        };
                        let ended = [self.go_on(py, start, step)?];
                        let same = same_text(&ended[0], string)?;
                        let ended = if same { [string.clone()] } else { ended };
                        let texts = Texts::of(&ended)?;
                        self.finish(py, texts.slices()[0], Some(&ended[0]), None)?
                    }
                    (_, Finish::Hash(_)) => to_python(py, place)?.into_any(),
                    (Outcome::Same, _) => self.finish(py, text, Some(string), cut)?,
                    (Outcome::Changed, _) => self.finish(py, place, None, cut)?,
                });
            }
            scratch::keep_bytes(buffer);
            Ok(PyList::new(py, results)?.into_any())
        };
        self.border
            .cross(py, answer, |twin| twin.call_method1("run", (texts,)))
    }

    /// Leaves the answers to the twin from now on; says why in `cause`.
    fn fall_back(&self, py: Python<'_>, cause: &str) -> PyResult<()> {
        self.border.fall_back(py, cause).map(drop)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.border.traverse(&visit)
    }
}
