//! A page of metrics in Prometheus's text format 0.0.4, written front to back without floats.
//!
//! Values are whole numbers, whole numbers with a fixed number of decimals (kernel ticks are
//! hundredths of a second), or text that was a number already. So nothing is rounded, and the
//! Python twin writes the same bytes.

/// The type of a metric family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises, until a restart.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Not said by the source.
    Untyped,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Untyped => "untyped",
        }
    }
}

/// A sample's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A whole number.
    Int(u64),
    /// A whole number divided by 10 to the second field, for example ticks: `Scaled(1234, 2)` is 12.34.
    Scaled(u64, u32),
    /// A number as its source wrote it.
    Text(&'a str),
}

/// The page; families are written one after the other, each in one block.
#[derive(Debug, Default)]
pub struct Page {
    text: String,
    family: String,
    warnings: Vec<String>,
}

/// A place in the page to go back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark(usize);

impl Page {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            ..Self::default()
        }
    }

    /// Begins a family: `# HELP` and `# TYPE`.
    pub fn family(&mut self, name: &str, help: &str, kind: Kind) {
        self.family.clear();
        self.family.push_str(name);
        self.text.push_str("# HELP ");
        self.text.push_str(name);
        self.text.push(' ');
        escape(&mut self.text, help, false);
        self.text.push_str("\n# TYPE ");
        self.text.push_str(name);
        self.text.push(' ');
        self.text.push_str(kind.as_str());
        self.text.push('\n');
    }

    /// Writes one sample of the current family.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: Value<'_>) {
        self.text.push_str(&self.family);
        for (index, (name, value)) in labels.iter().enumerate() {
            self.text.push(if index == 0 { '{' } else { ',' });
            self.text.push_str(name);
            self.text.push_str("=\"");
            escape(&mut self.text, value, true);
            self.text.push('"');
        }
        self.text
            .push_str(if labels.is_empty() { " " } else { "} " });
        self.value(value);
        self.text.push('\n');
    }

    /// A family of one sample without labels.
    pub fn single(&mut self, name: &str, help: &str, kind: Kind, value: Value<'_>) {
        self.family(name, help, kind);
        self.sample(&[], value);
    }

    /// Adds text that is well formed already (a textfile's samples).
    pub(crate) fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Reports something that is worth a log line but not the collector's success.
    pub(crate) fn warn(&mut self, reason: String) {
        self.warnings.push(reason);
    }

    pub(crate) fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Whether the page has a family of this name already.
    pub(crate) fn has_family(&self, name: &str) -> bool {
        self.text.contains(&format!("# TYPE {name} "))
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.text.len())
    }

    /// Forgets what was written since the mark.
    pub(crate) fn roll_back(&mut self, mark: Mark) {
        self.text.truncate(mark.0);
    }

    /// The page's text.
    pub fn into_text(self) -> String {
        self.text
    }

    fn value(&mut self, value: Value<'_>) {
        match value {
            Value::Int(number) => self.digits(number, 1),
            Value::Text(text) => self.text.push_str(text),
            Value::Scaled(number, decimals) => {
                let unit = 10_u64.pow(decimals);
                self.digits(number / unit, 1);
                let mut fraction = number % unit;
                if fraction > 0 {
                    let mut width = decimals as usize;
                    while fraction % 10 == 0 {
                        fraction /= 10;
                        width -= 1;
                    }
                    self.text.push('.');
                    self.digits(fraction, width);
                }
            }
        }
    }

    /// Writes a number with at least `width` digits. By hand: `write!` costs three times as much,
    /// and a page has a thousand numbers.
    fn digits(&mut self, mut number: u64, width: usize) {
        let mut buffer = [b'0'; 20];
        let mut start = buffer.len();
        while number > 0 || buffer.len() - start < width {
            start -= 1;
            buffer[start] = b'0' + u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
        }
        self.text
            .extend(buffer[start..].iter().map(|&digit| char::from(digit)));
    }
}

fn escape(out: &mut String, text: &str, quotes: bool) {
    if !text.contains(['\\', '\n', '"']) {
        out.push_str(text);
        return;
    }
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: Value<'_>) -> String {
        let mut page = Page::default();
        page.single("x", "h", Kind::Gauge, value);
        let text = page.into_text();
        text.lines().last().unwrap()[2..].to_string()
    }

    #[test]
    fn values_are_exact() {
        for (value, text) in [
            (Value::Int(0), "0"),
            (Value::Int(u64::MAX), "18446744073709551615"),
            (Value::Scaled(1234, 2), "12.34"),
            (Value::Scaled(1200, 2), "12"),
            (Value::Scaled(1230, 2), "12.3"),
            (Value::Scaled(5, 9), "0.000000005"),
            (Value::Scaled(0, 3), "0"),
            (Value::Text("0.52"), "0.52"),
        ] {
            assert_eq!(shown(value), text);
        }
    }

    #[test]
    fn labels_and_help_are_escaped() {
        let mut page = Page::default();
        page.family("m", "a\\b\n\"c\"", Kind::Counter);
        page.sample(&[("p", "a\"b\\c\nd"), ("q", "")], Value::Int(1));
        let mark = page.mark();
        page.family("n", "gone", Kind::Gauge);
        page.roll_back(mark);
        assert!(page.has_family("m") && !page.has_family("n"));
        assert_eq!(
            page.into_text(),
            "# HELP m a\\\\b\\n\"c\"\n# TYPE m counter\nm{p=\"a\\\"b\\\\c\\nd\",q=\"\"} 1\n"
        );
    }
}
