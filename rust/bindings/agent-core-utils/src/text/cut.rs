//! What cuts a text into pieces: tokens, n-grams, sentences, chunks, matches of an expression.

use super::bad;
use super::strings::{Texts, as_list, detached, strings, to_python};
use crate::border::Border;
use agent_core_utils::text::{
    self as core, ChunkBy, ChunkOptions, Expression as Core, Part, chunks, fields, sentences, words,
};
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};
use std::ops::Range;

type Pieces = Vec<Option<Range<usize>>>;

/// A way to cut.
#[derive(Debug, Clone)]
pub(super) enum Cut {
    Fields,
    Words,
    Tokens,
    WordNgrams(usize),
    CharNgrams(usize),
    Sentences,
    Chunks(ChunkOptions),
    Matches(Core, usize),
}

impl Cut {
    pub(super) fn tokens(kind: &str) -> PyResult<Self> {
        match kind {
            "word" => Ok(Self::Words),
            "space" => Ok(Self::Fields),
            "token" => Ok(Self::Tokens),
            other => Err(bad("kind", other)),
        }
    }

    pub(super) fn ngrams(n: usize, unit: &str) -> PyResult<Self> {
        match (unit, n) {
            (_, 0) => Err(bad("n", 0)),
            ("word", n) => Ok(Self::WordNgrams(n)),
            ("char", n) => Ok(Self::CharNgrams(n)),
            (other, _) => Err(bad("unit", other)),
        }
    }

    pub(super) fn chunks(budget: usize, overlap: usize, by: &str) -> PyResult<Self> {
        let by = match by {
            "token" => ChunkBy::Token,
            "sentence" => ChunkBy::Sentence,
            other => return Err(bad("by", other)),
        };
        if overlap >= budget {
            return Err(bad("overlap", overlap));
        }
        Ok(Self::Chunks(ChunkOptions {
            budget,
            overlap,
            by,
        }))
    }

    /// Appends the pieces of `text`; for n-grams of words, the words.
    pub(super) fn find(&self, text: &[u8], out: &mut Pieces) {
        let push = |range| out.push(Some(range));
        match self {
            Self::Fields => fields(text, push),
            Self::Words | Self::WordNgrams(_) => words(text, push),
            Self::Tokens => core::tokens(text, push),
            Self::Sentences => sentences(text, push),
            Self::Chunks(options) => chunks(text, *options, push),
            Self::Matches(expression, group) => {
                expression.extract(text, *group, |range| out.push(range));
            }
            Self::CharNgrams(n) => {
                let starts = text
                    .iter()
                    .enumerate()
                    .filter(|(_, byte)| **byte & 0xC0 != 0x80);
                let mut starts: Vec<usize> = starts.map(|(at, _)| at).collect();
                starts.push(text.len());
                let ngrams = starts.windows(n.saturating_add(1));
                out.extend(ngrams.map(|window| Some(window[0]..window[*n])));
            }
        }
    }

    /// The list of the pieces of `text` as strings; `string` is the text itself, if it is one.
    pub(super) fn render<'py>(
        &self,
        py: Python<'py>,
        text: &[u8],
        string: Option<&Bound<'py, PyString>>,
        pieces: &[Option<Range<usize>>],
    ) -> PyResult<Bound<'py, PyList>> {
        let mut out = Vec::with_capacity(pieces.len());
        if let Self::WordNgrams(n) = self {
            for window in pieces.windows(*n) {
                let words: Vec<&[u8]> = window
                    .iter()
                    .flatten()
                    .map(|at| &text[at.clone()])
                    .collect();
                out.push(Some(to_python(py, &words.join(&b' '))?));
            }
            return PyList::new(py, out);
        }
        for piece in pieces {
            let all = piece.as_ref().is_some_and(|at| at.len() == text.len());
            out.push(match (piece, string) {
                (None, _) => None,
                (Some(_), Some(string)) if all && string.is_exact_instance_of::<PyString>() => {
                    Some(string.clone())
                }
                (Some(at), _) => Some(to_python(py, &text[at.clone()])?),
            });
        }
        PyList::new(py, out)
    }
}

/// Cuts each text.
pub(super) fn cut_many<'py>(
    py: Python<'py>,
    texts: &Bound<'py, PyList>,
    cut: &Cut,
) -> PyResult<Bound<'py, PyAny>> {
    let strings = strings("texts", texts)?;
    let texts = Texts::of(&strings)?;
    let slices = texts.slices();
    let mut pieces = Vec::new();
    let ends: Vec<usize> = detached(py, texts.total(), || {
        let each = slices.iter().map(|text| {
            cut.find(text, &mut pieces);
            pieces.len()
        });
        each.collect()
    });
    let mut from = 0;
    let mut out = Vec::with_capacity(strings.len());
    for ((string, text), end) in strings.iter().zip(&slices).zip(ends) {
        out.push(cut.render(py, text, Some(string), &pieces[from..end])?);
        from = end;
    }
    Ok(PyList::new(py, out)?.into_any())
}

/// The parts of a replacement: strings, and numbers of groups.
pub(super) fn parts_of(parts: &Bound<'_, PyTuple>, groups: usize) -> PyResult<Vec<Part>> {
    let mut out = Vec::new();
    for part in parts {
        if let Ok(string) = part.cast::<PyString>() {
            let strings = [string.clone()];
            out.push(Part::Literal(Texts::of(&strings)?.slices()[0].to_vec()));
        } else {
            let group: usize = part.extract()?;
            if group > groups {
                return Err(bad("group", group));
            }
            out.push(Part::Group(group));
        }
    }
    Ok(out)
}

/// Compiles an expression that the package has written out.
pub(super) fn compiled(source: &str) -> PyResult<Core> {
    Core::new(source).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// A regular expression made ready; see `agentcore.text.expression`.
#[pyclass(frozen, module = "agent_core_utils")]
pub(crate) struct Expression {
    core: Core,
    border: Border,
}

#[pymethods]
impl Expression {
    #[new]
    #[pyo3(signature = (source, on_fault=None))]
    fn new(source: &str, on_fault: Option<Py<PyAny>>) -> PyResult<Self> {
        Ok(Self {
            core: compiled(source)?,
            border: Border::new("Expression", on_fault),
        })
    }

    #[pyo3(signature = (texts, group=0))]
    fn extract_many<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyAny>,
        group: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let answer = || {
            if group > self.core.groups() {
                let message = format!(
                    "group must be from 0 to {}, got {group}",
                    self.core.groups()
                );
                return Err(PyValueError::new_err(message));
            }
            let cut = Cut::Matches(self.core.clone(), group);
            cut_many(py, &as_list("texts", texts)?, &cut)
        };
        self.border.cross(py, answer, |twin| {
            twin.call_method1("extract_many", (texts, group))
        })
    }

    /// Replaces the matches by `parts`: strings, and numbers of groups.
    fn replace_parts<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyList>,
        parts: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let answer = || {
            let made = parts_of(parts, self.core.groups())?;
            let strings = strings("texts", texts)?;
            let work = |text: &[u8], out: &mut Vec<u8>| self.core.replace(text, &made, out);
            Ok(super::rewrite(py, &strings, work)?.into_any())
        };
        self.border.cross(py, answer, |twin| {
            twin.call_method1("replace_parts", (texts, parts))
        })
    }

    /// Leaves the answers to the twin from now on; says why in `cause`.
    fn fall_back(&self, py: Python<'_>, cause: &str) -> PyResult<()> {
        self.border.fall_back(py, cause).map(drop)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.border.traverse(&visit)
    }
}
