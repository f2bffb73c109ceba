//! `Text`: lists of `str` in, lists or buffers out; see `agentcore.text.contract`.
//!
//! The work runs detached from the interpreter, on borrowed UTF-8. A string that does not
//! change is returned as the same object. What the package's facade has checked before is
//! checked again only as far as it takes to never panic.

mod cut;
mod finder;
mod foreign;
mod plan;
mod scratch;
mod strings;

pub(crate) use cut::Expression;
pub(crate) use finder::Matcher;
pub(crate) use plan::Plan;

use crate::border::Border;
use agent_core_utils::text::similarity::{self, Metric};
use agent_core_utils::text::{
    Case, HashKind, MinHash, NormalizeOptions, Redactor, Scratch, normalize_ascii_batch, restore,
};
use cut::{Cut, cut_many};
use foreign::Foreign;
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use std::collections::HashMap;
use std::ops::Range;
use strings::{Given, Texts, as_list, choice, detached, kinds_of, strings, to_python};

type Answer<'py> = PyResult<Bound<'py, PyAny>>;

/// So much text is worked on at a time, between turns of the interpreter.
const PART_BYTES: usize = 256 << 10;

/// What `name` can't be.
fn bad(name: &str, value: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(format!("{name} can't be {value}"))
}

/// Batch operations on lists of `str`; see `agentcore.text.contract`.
#[pyclass(frozen, module = "agent_core_utils")]
pub(crate) struct Text {
    border: Border,
}

/// A memory view on `bytes` of items of `format`, of `rows` and `columns` if there are any.
fn view<'py>(
    bytes: &Bound<'py, PyBytes>,
    format: &str,
    rows: usize,
    columns: usize,
) -> Answer<'py> {
    let py = bytes.py();
    let flat = py
        .import("builtins")?
        .getattr("memoryview")?
        .call1((bytes,))?;
    if rows == 0 || columns == 0 {
        return flat.call_method1("cast", (format,));
    }
    flat.call_method1("cast", (format, (rows, columns)))
}

/// Bytes of many four-byte values.
fn packed<'py>(py: Python<'py>, values: &[[u8; 4]]) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, values.len() * 4, |bytes| {
        for (place, value) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(values) {
            *place = *value;
        }
        Ok(())
    })
}

fn normalize<'py>(
    py: Python<'py>,
    strings: &[Bound<'py, PyString>],
    options: NormalizeOptions,
    foreign: &Foreign,
) -> PyResult<Bound<'py, PyList>> {
    let ascii: Vec<Option<&[u8]>> = strings
        .iter()
        .map(|string| string.to_str().ok().filter(|text| text.is_ascii()))
        .map(|text| text.map(str::as_bytes))
        .collect();
    let mut buffer = scratch::bytes();
    let mut out = Vec::with_capacity(strings.len());
    // In parts, so that what is written is still in the cache when strings are made of it.
    let mut from = 0;
    while from < strings.len() {
        let (mut end, mut bytes) = (from, 0);
        while end < strings.len() && (bytes < PART_BYTES || end == from) {
            bytes += ascii[end].map_or(0, <[u8]>::len);
            end += 1;
        }
        let part = &ascii[from..end];
        let places = detached(py, bytes, || {
            normalize_ascii_batch(part, options, &mut buffer)
        });
        for ((string, place), ascii) in strings[from..end].iter().zip(places).zip(part) {
            out.push(match (place, ascii) {
                (Some(place), _) => to_python(py, &buffer[place])?,
                (None, Some(_)) => string.clone(),
                (None, None) => foreign.normalize(string)?,
            });
        }
        from = end;
    }
    scratch::keep_bytes(buffer);
    PyList::new(py, out)
}

/// Lets `work` append what each text becomes to a buffer, and makes the strings of it.
fn rewrite<'py>(
    py: Python<'py>,
    strings: &[Bound<'py, PyString>],
    mut work: impl FnMut(&[u8], &mut Vec<u8>) -> bool + Send,
) -> PyResult<Bound<'py, PyList>> {
    let texts = Texts::of(strings)?;
    let slices = texts.slices();
    let mut buffer = scratch::bytes();
    let mut places: Vec<Option<Range<usize>>> = Vec::new();
    let mut out = Vec::with_capacity(strings.len());
    let mut from = 0;
    while from < strings.len() {
        let (mut end, mut bytes) = (from, 0);
        while end < strings.len() && (bytes < PART_BYTES || end == from) {
            bytes += slices[end].len();
            end += 1;
        }
        let part = &slices[from..end];
        buffer.clear();
        places.clear();
        detached(py, bytes, || {
            places.extend(part.iter().map(|text| {
                let begun = buffer.len();
                let differs = work(text, &mut buffer);
                if !differs {
                    buffer.truncate(begun);
                }
                differs.then_some(begun..buffer.len())
            }));
        });
        for (string, place) in strings[from..end].iter().zip(&places) {
            out.push(match place {
                Some(place) => to_python(py, &buffer[place.clone()])?,
                None => string.clone(),
            });
        }
        from = end;
    }
    scratch::keep_bytes(buffer);
    PyList::new(py, out)
}

/// What the arguments of `normalize_many` mean.
fn normalization(
    form: &Bound<'_, PyAny>,
    case: &Bound<'_, PyAny>,
    whitespace: bool,
    controls: bool,
) -> PyResult<(NormalizeOptions, Foreign)> {
    let form = choice("form", form, &["NFC", "NFD", "NFKC", "NFKD"])?;
    let case = choice("case", case, &["lower", "upper", "fold"])?;
    let options = NormalizeOptions {
        case: match case.as_deref() {
            None => Case::Keep,
            Some("upper") => Case::Upper,
            Some(_) => Case::Lower,
        },
        whitespace,
        controls,
    };
    let foreign = Foreign {
        form,
        case,
        whitespace: options.whitespace,
        controls: options.controls,
    };
    Ok((options, foreign))
}

fn metric_of(name: &str) -> PyResult<Metric> {
    Metric::of(name).ok_or_else(|| bad("metric", name))
}

#[pymethods]
impl Text {
    #[new]
    #[pyo3(signature = (on_fault=None))]
    fn new(on_fault: Option<Py<PyAny>>) -> Self {
        Self {
            border: Border::new("Text", on_fault),
        }
    }

    #[pyo3(signature = (texts, *, form=Given::Default, case=Given::Default, whitespace=Given::Default, controls=Given::Default))]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "what the interpreter hands over"
    )]
    fn normalize_many<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyAny>,
        form: Given<'py>,
        case: Given<'py>,
        whitespace: Given<'py>,
        controls: Given<'py>,
    ) -> Answer<'py> {
        let none = || py.None().into_bound(py);
        let lower = || PyString::intern(py, "lower").into_any();
        let (form, case) = (form.or_else(none), case.or_else(lower));
        let answer = || {
            let whitespace = whitespace.truth(true)?;
            let controls = controls.truth(false)?;
            let (options, foreign) = normalization(&form, &case, whitespace, controls)?;
            let strings = strings("texts", &as_list("texts", texts)?)?;
            Ok(normalize(py, &strings, options, &foreign)?.into_any())
        };
        self.border.cross(py, answer, |twin| {
            let named = PyDict::new(py);
            named.set_item("form", &form)?;
            named.set_item("case", &case)?;
            named.set_item("whitespace", whitespace.truth(true)?)?;
            named.set_item("controls", controls.truth(false)?)?;
            twin.call_method("normalize_many", (texts,), Some(&named))
        })
    }

    #[pyo3(signature = (texts, *, kinds=None))]
    fn redact_many<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyAny>,
        kinds: Option<&Bound<'py, PyAny>>,
    ) -> Answer<'py> {
        let answer = || {
            let redactor = Redactor::new(kinds_of(kinds)?);
            let strings = strings("texts", &as_list("texts", texts)?)?;
            let mut scratch = Scratch::default();
            let work =
                |text: &[u8], out: &mut Vec<u8>| redactor.redact_with(text, &mut scratch, out);
            Ok(rewrite(py, &strings, work)?.into_any())
        };
        self.border.cross(py, answer, |twin| {
            let named = PyDict::new(py);
            named.set_item("kinds", kinds)?;
            twin.call_method("redact_many", (texts,), Some(&named))
        })
    }

    fn pseudonymize_many<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyList>,
        key: &Bound<'py, PyBytes>,
        kinds: &Bound<'py, PyAny>,
    ) -> Answer<'py> {
        let answer = || {
            let redactor = Redactor::new(kinds_of(Some(kinds))?);
            let strings = strings("texts", texts)?;
            let mut known: Vec<(String, String)> = Vec::new(); // all of it is ASCII
            let secret = key.as_bytes();
            let out = rewrite(py, &strings, |text, out| {
                redactor.pseudonymize(text, secret, out, |token, piece| {
                    known.push((token, String::from_utf8_lossy(piece).into_owned()));
                })
            })?;
            let mapping = PyDict::new(py);
            for (token, piece) in known {
                mapping.set_item(token, piece)?;
            }
            Ok((out, mapping).into_pyobject(py)?.into_any())
        };
        self.border.cross(py, answer, |twin| {
            twin.call_method1("pseudonymize_many", (texts, key, kinds))
        })
    }

    fn restore_many<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyList>,
        mapping: &Bound<'py, PyDict>,
    ) -> Answer<'py> {
        let answer = || {
            let strings = strings("texts", texts)?;
            let mut known: HashMap<String, Vec<u8>> = HashMap::new();
            for (token, piece) in mapping {
                let (Ok(token), Ok(piece)) = (token.extract(), piece.cast::<PyString>()) else {
                    continue; // no token that could be found
                };
                let pieces = [piece.clone()];
                let texts = Texts::of(&pieces)?;
                known.insert(token, texts.slices()[0].to_vec());
            }
            let out = rewrite(py, &strings, |text, out| {
                restore(text, |token| known.get(token).map(Vec::as_slice), out)
            })?;
            Ok(out.into_any())
        };
        self.border.cross(py, answer, |twin| {
            twin.call_method1("restore_many", (texts, mapping))
        })
    }

    fn tokenize_many<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyList>,
        kind: &str,
    ) -> Answer<'py> {
        let answer = || cut_many(py, texts, &Cut::tokens(kind)?);
        self.border.cross(py, answer, |twin| {
            twin.call_method1("tokenize_many", (texts, kind))
        })
    }

    fn ngrams_many<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyList>,
        n: usize,
        unit: &str,
    ) -> Answer<'py> {
        let answer = || cut_many(py, texts, &Cut::ngrams(n, unit)?);
        self.border.cross(py, answer, |twin| {
            twin.call_method1("ngrams_many", (texts, n, unit))
        })
    }

    fn sentences_many<'py>(&self, py: Python<'py>, texts: &Bound<'py, PyList>) -> Answer<'py> {
        let answer = || cut_many(py, texts, &Cut::Sentences);
        self.border.cross(py, answer, |twin| {
            twin.call_method1("sentences_many", (texts,))
        })
    }

    fn chunk_many<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyList>,
        budget: usize,
        overlap: usize,
        by: &str,
    ) -> Answer<'py> {
        let answer = || cut_many(py, texts, &Cut::chunks(budget, overlap, by)?);
        self.border.cross(py, answer, |twin| {
            twin.call_method1("chunk_many", (texts, budget, overlap, by))
        })
    }

    fn hash_many<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyList>,
        algorithm: &str,
    ) -> Answer<'py> {
        let answer = || {
            let kind = HashKind::of(algorithm).ok_or_else(|| bad("algorithm", algorithm))?;
            let strings = strings("texts", texts)?;
            let hashed = rewrite(py, &strings, |text, out| {
                kind.hex(text, out);
                true
            })?;
            Ok(hashed.into_any())
        };
        self.border.cross(py, answer, |twin| {
            twin.call_method1("hash_many", (texts, algorithm))
        })
    }

    fn similarity_many<'py>(
        &self,
        py: Python<'py>,
        query: &Bound<'py, PyString>,
        choices: &Bound<'py, PyList>,
        metric: &str,
    ) -> Answer<'py> {
        let answer = || {
            let kind = metric_of(metric)?;
            let mut strings = strings("choices", choices)?;
            strings.push(query.clone());
            let texts = Texts::of(&strings)?;
            let slices = texts.slices();
            let values = detached(py, texts.total(), || match slices.split_last() {
                Some((query, choices)) => similarity::one_to_many(query, choices, kind),
                None => Vec::new(),
            });
            Ok(PyList::new(py, values)?.into_any())
        };
        self.border.cross(py, answer, |twin| {
            twin.call_method1("similarity_many", (query, choices, metric))
        })
    }

    fn similarity_matrix<'py>(
        &self,
        py: Python<'py>,
        queries: &Bound<'py, PyList>,
        choices: &Bound<'py, PyList>,
        metric: &str,
        workers: usize,
    ) -> Answer<'py> {
        let answer = || {
            let kind = metric_of(metric)?;
            let lists = (strings("queries", queries)?, strings("choices", choices)?);
            let texts = (Texts::of(&lists.0)?, Texts::of(&lists.1)?);
            let (left, right) = (texts.0.slices(), texts.1.slices());
            let mut values = vec![0_f32; left.len() * right.len()];
            py.detach(|| similarity::matrix(&left, &right, kind, workers, &mut values));
            let bytes: Vec<[u8; 4]> = values.iter().map(|value| value.to_ne_bytes()).collect();
            view(&packed(py, &bytes)?, "f", left.len(), right.len())
        };
        self.border.cross(py, answer, |twin| {
            twin.call_method1("similarity_matrix", (queries, choices, metric, workers))
        })
    }

    fn minhash_many<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyList>,
        permutations: usize,
        shingle: usize,
        seed: u64,
    ) -> Answer<'py> {
        let answer = || {
            let signatures = sign(py, texts, &MinHash::new(permutations, shingle.max(1), seed))?;
            let bytes: Vec<[u8; 4]> = signatures.iter().map(|value| value.to_ne_bytes()).collect();
            view(&packed(py, &bytes)?, "I", texts.len(), permutations)
        };
        self.border.cross(py, answer, |twin| {
            twin.call_method1("minhash_many", (texts, permutations, shingle, seed))
        })
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the facade's options, one by one"
    )]
    fn near_duplicates<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyList>,
        threshold: f64,
        permutations: usize,
        shingle: usize,
        seed: u64,
        limit: usize,
    ) -> Answer<'py> {
        let answer = || {
            let hasher = MinHash::new(permutations.max(1), shingle.max(1), seed);
            let signatures = sign(py, texts, &hasher)?;
            let pairs = py.detach(|| hasher.pairs(&signatures, threshold, limit));
            let pairs = pairs.ok_or_else(|| {
                PyValueError::new_err(format!(
                    "more than {limit} pairs of near-duplicates: raise limit or threshold"
                ))
            })?;
            Ok(PyList::new(py, pairs)?.into_any())
        };
        self.border.cross(py, answer, |twin| {
            let options = (texts, threshold, permutations, shingle, seed, limit);
            twin.call_method1("near_duplicates", options)
        })
    }

    /// Leaves the answers to the twin from now on; says why in `cause`.
    fn fall_back(&self, py: Python<'_>, cause: &str) -> PyResult<()> {
        self.border.fall_back(py, cause).map(drop)
    }

    /// Panics inside, on purpose: lets the tests show that the twin answers then.
    fn _panic<'py>(&self, py: Python<'py>, texts: &Bound<'py, PyAny>) -> Answer<'py> {
        self.border.cross(
            py,
            || panic!("on purpose"),
            |twin| twin.call_method1("normalize_many", (texts,)),
        )
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.border.traverse(&visit)
    }
}

fn sign(py: Python<'_>, texts: &Bound<'_, PyList>, hasher: &MinHash) -> PyResult<Vec<u32>> {
    let strings = strings("texts", texts)?;
    let texts = Texts::of(&strings)?;
    let slices = texts.slices();
    let mut signatures = Vec::new();
    detached(py, texts.total(), || hasher.sign(&slices, &mut signatures));
    Ok(signatures)
}
