//! The catalog of spellings. If a value has too many, the first ones are kept.
//! `docs/reference/masking.md` has an example of each.

use crate::secret::Secret;

use super::bytes::{self, ByteOrder, Case};
use super::escape::prefix;
use super::json::{self, JsonStyle};
use super::literals::{self, Numbers, Quotes};
use super::markup::{self, MarkupStyle, NonAscii};
use super::percent::{self, Dialect};
use super::shell::{self, Locale};

use Encoding::{
    Backslashes, Decimal, DollarSingle, Hex, Json, JsonTwice, Literal, Markup, Percent,
    PercentTwice, Prefix, QuotedPrintable, Replace, Reversed, Signed, Utf16,
};

/// A spelling: its name and its encoding.
pub(super) type Spelling = (&'static str, Encoding);

/// The encoding of a value.
#[derive(Clone, Copy)]
pub(super) enum Encoding {
    Json(JsonStyle),
    JsonTwice(JsonStyle),
    /// The case of the digits, the text before each byte, and the text between two bytes.
    Hex(Case, &'static [u8], &'static [u8]),
    Percent(Dialect, Case),
    PercentTwice(Dialect),
    Markup(MarkupStyle),
    Literal(Quotes, Numbers),
    /// A byte that is written before each of some others.
    Prefix(u8, &'static [u8]),
    Replace(&'static [(u8, &'static [u8])]),
    Backslashes,
    DollarSingle(Locale),
    Utf16(ByteOrder),
    Decimal(&'static [u8]),
    Signed,
    QuotedPrintable,
    Reversed,
}

impl Encoding {
    /// Returns whether letters, digits, `-`, `_`, and `.` stay as they are, so that a token of
    /// these characters stays the same.
    pub(super) fn keeps_tokens(self) -> bool {
        match self {
            Percent(dialect, _) => dialect != Dialect::Everything,
            Hex(..) | Utf16(_) | Decimal(_) | Signed | Reversed => false,
            Json(_) | JsonTwice(_) | PercentTwice(_) | Markup(_) | Literal(..) | Prefix(..)
            | Replace(_) | Backslashes | DollarSingle(_) | QuotedPrintable => true,
        }
    }

    /// Appends the encoded value.
    pub(super) fn write(self, value: &[u8], out: &mut Secret) {
        match self {
            Json(style) => json::encode(value, out, style),
            JsonTwice(style) => json::twice(value, out, style),
            Hex(case, before, between) => bytes::hex(value, out, case, before, between),
            Percent(dialect, case) => percent::encode(value, out, dialect, case),
            PercentTwice(dialect) => percent::twice(value, out, dialect),
            Markup(style) => markup::encode(value, out, style),
            Literal(quotes, numbers) => literals::encode(value, out, quotes, numbers),
            Prefix(escape, special) => prefix(value, out, escape, special),
            Replace(pairs) => shell::substitute(value, out, pairs),
            Backslashes => shell::backslashes(value, out),
            DollarSingle(locale) => shell::dollar_single(value, out, locale),
            Utf16(order) => bytes::utf16(value, out, order),
            Decimal(between) => bytes::decimal(value, out, between),
            Signed => bytes::signed(value, out),
            QuotedPrintable => bytes::quoted_printable(value, out),
            Reversed => bytes::reversed(value, out),
        }
    }
}

/// The main spellings, which are also looked for in the case of parts and lines.
pub(super) const MAIN: &[Spelling] = &[
    ("json", Json(JsonStyle::Plain)),
    ("json-ascii", Json(JsonStyle::Ascii)),
    ("json-html", Json(JsonStyle::Html)),
    ("json-twice", JsonTwice(JsonStyle::Plain)),
    ("json-ascii-twice", JsonTwice(JsonStyle::Ascii)),
    ("hex", Hex(Case::Lower, b"", b"")),
    ("hex-upper", Hex(Case::Upper, b"", b"")),
    ("percent", Percent(Dialect::Strict, Case::Upper)),
    ("percent-lower", Percent(Dialect::Strict, Case::Lower)),
    (
        "percent-component",
        Percent(Dialect::Component, Case::Upper),
    ),
    ("percent-path", Percent(Dialect::Path, Case::Upper)),
    ("form", Percent(Dialect::Form, Case::Upper)),
    ("form-plus", Percent(Dialect::Plus, Case::Upper)),
];

/// More spellings of every value.
pub(super) const MORE: &[Spelling] = &[
    ("hex-spaced", Hex(Case::Lower, b"", b" ")),
    ("hex-spaced-upper", Hex(Case::Upper, b"", b" ")),
    ("hex-colons", Hex(Case::Lower, b"", b":")),
    ("hex-colons-upper", Hex(Case::Upper, b"", b":")),
    ("hex-escaped", Hex(Case::Lower, b"\\x", b"")),
    ("hex-escaped-upper", Hex(Case::Upper, b"\\x", b"")),
    ("percent-all", Percent(Dialect::Everything, Case::Upper)),
    (
        "percent-all-lower",
        Percent(Dialect::Everything, Case::Lower),
    ),
    (
        "percent-component-lower",
        Percent(Dialect::Component, Case::Lower),
    ),
    ("percent-uri", Percent(Dialect::Uri, Case::Upper)),
    ("percent-uri-lower", Percent(Dialect::Uri, Case::Lower)),
    ("percent-path-lower", Percent(Dialect::Path, Case::Lower)),
    ("percent-userinfo", Percent(Dialect::Userinfo, Case::Upper)),
    ("form-lower", Percent(Dialect::Form, Case::Lower)),
    ("form-plus-lower", Percent(Dialect::Plus, Case::Lower)),
    ("json-ascii-upper", Json(JsonStyle::AsciiUpper)),
    ("json-solidus", Json(JsonStyle::Solidus)),
    ("json-ascii-solidus", Json(JsonStyle::AsciiSolidus)),
    ("json-html-quotes", Json(JsonStyle::HtmlQuotes)),
    ("json-strict", Json(JsonStyle::Strict)),
    ("json-html-twice", JsonTwice(JsonStyle::Html)),
    ("html-text", Markup(quotes(None, None))),
    ("html-quote", Markup(quotes(Some("&quot;"), None))),
    ("html-hex", Markup(quotes(Some("&quot;"), Some("&#x27;")))),
    ("html", Markup(quotes(Some("&quot;"), Some("&#39;")))),
    ("html-numbers", Markup(quotes(Some("&#34;"), Some("&#39;")))),
    ("html-php", Markup(quotes(Some("&quot;"), Some("&#039;")))),
    ("xml", Markup(quotes(Some("&quot;"), Some("&apos;")))),
    ("html-go", Markup(HTML_GO)),
    ("html-mustache", Markup(HTML_MUSTACHE)),
    ("html-ascii", Markup(HTML_ASCII)),
    ("shell-single", Replace(&[(b'\'', b"'\\''")])),
    ("shell-single-double", Replace(&[(b'\'', b"'\"'\"'")])),
    ("shell-double", Prefix(b'\\', b"\\\"$`")),
    ("shell-backslash", Backslashes),
    ("shell-dollar-single", DollarSingle(Locale::Utf8)),
    ("shell-dollar-single-octal", DollarSingle(Locale::C)),
    ("dollar-doubled", Prefix(b'$', b"$")),
    ("quote-doubled", Prefix(b'\'', b"'")),
    ("double-quote-doubled", Prefix(b'"', b"\"")),
    ("sql-mysql", Replace(SQL_MYSQL)),
    ("python", Literal(Quotes::IfBoth, Numbers::PythonControl)),
    ("python-ascii", Literal(Quotes::IfBoth, Numbers::Python)),
    ("python-bytes", Literal(Quotes::IfBoth, Numbers::HexBytes)),
    (
        "single-quoted",
        Literal(Quotes::Single, Numbers::PythonControl),
    ),
    ("c", Literal(Quotes::Double, Numbers::Octal)),
    ("c-hex", Literal(Quotes::Double, Numbers::HexBytes)),
    ("c-both", Literal(Quotes::Both, Numbers::Octal)),
    ("backslashes", Literal(Quotes::None, Numbers::Kept)),
    ("php", Literal(Quotes::Single, Numbers::Kept)),
    ("double-quoted", Literal(Quotes::Double, Numbers::Kept)),
    ("ruby", Literal(Quotes::Double, Numbers::Ruby)),
];

/// Rare spellings, of long values only. A short match is too likely to be something else.
pub(super) const RARE: &[Spelling] = &[
    ("reversed", Reversed),
    ("utf-16-le", Utf16(ByteOrder::Little)),
    ("utf-16-be", Utf16(ByteOrder::Big)),
    ("decimal", Decimal(b", ")),
    ("decimal-spaced", Decimal(b" ")),
    ("decimal-dense", Decimal(b",")),
    ("decimal-signed", Signed),
    ("go", Literal(Quotes::Double, Numbers::GoControl)),
    ("go-ascii", Literal(Quotes::Double, Numbers::Go)),
    ("rust", Literal(Quotes::Double, Numbers::Rust)),
    ("rust-ascii", Literal(Quotes::Both, Numbers::Braces)),
    ("java", Literal(Quotes::Double, Numbers::Units)),
    ("powershell", Prefix(b'`', b"`$")),
    ("powershell-quotes", Prefix(b'`', b"`$\"")),
    ("batch", Replace(BATCH)),
    ("batch-percent", Prefix(b'%', b"%")),
    ("percent-twice", PercentTwice(Dialect::Strict)),
    ("percent-component-twice", PercentTwice(Dialect::Component)),
    ("percent-path-twice", PercentTwice(Dialect::Path)),
    ("quoted-printable", QuotedPrintable),
    ("hex-list", Hex(Case::Lower, b"0x", b", ")),
];

const HTML_GO: MarkupStyle = MarkupStyle {
    quote: Some("&#34;"),
    apostrophe: Some("&#39;"),
    more: &[('+', "&#43;")],
    non_ascii: NonAscii::Kept,
};

const HTML_MUSTACHE: MarkupStyle = MarkupStyle {
    quote: Some("&quot;"),
    apostrophe: Some("&#39;"),
    more: &[('/', "&#x2F;"), ('`', "&#x60;"), ('=', "&#x3D;")],
    non_ascii: NonAscii::Kept,
};

const HTML_ASCII: MarkupStyle = MarkupStyle {
    quote: Some("&quot;"),
    apostrophe: Some("&#39;"),
    more: &[],
    non_ascii: NonAscii::Numbered,
};

/// The escapes of `MySQL` string literals.
const SQL_MYSQL: &[(u8, &[u8])] = &[
    (b'\'', b"\\'"),
    (b'"', b"\\\""),
    (b'\\', b"\\\\"),
    (b'\n', b"\\n"),
    (b'\r', b"\\r"),
    (0, b"\\0"),
    (0x1a, b"\\Z"),
];

/// The escapes of `cmd.exe` outside of quotes.
const BATCH: &[(u8, &[u8])] = &[
    (b'&', b"^&"),
    (b'|', b"^|"),
    (b'<', b"^<"),
    (b'>', b"^>"),
    (b'^', b"^^"),
    (b'%', b"%%"),
];

const fn quotes(quote: Option<&'static str>, apostrophe: Option<&'static str>) -> MarkupStyle {
    MarkupStyle {
        quote,
        apostrophe,
        more: &[],
        non_ascii: NonAscii::Kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "a\u{8}\u{1b}'\"é<+";

    #[test]
    fn spelling_matches_its_library() {
        let rows = [
            ("json-ascii-upper", r#"a\b\u001B'\"\u00E9<+"#),
            ("json-strict", r"a\b\u001B\u0027\u0022\u00E9\u003C\u002B"),
            ("html", "a\u{8}\u{1b}&#39;&quot;é&lt;+"),
            ("html-go", "a\u{8}\u{1b}&#39;&#34;é&lt;&#43;"),
            ("html-ascii", "a\u{8}\u{1b}&#39;&quot;&#233;&lt;+"),
            ("shell-dollar-single", r#"a\b\E\'"é<+"#),
            ("shell-dollar-single-octal", r#"a\b\E\'"\303\251<+"#),
            ("python", r#"a\x08\x1b\'"é<+"#),
            ("python-ascii", r#"a\x08\x1b\'"\xe9<+"#),
            ("python-bytes", r#"a\x08\x1b\'"\xc3\xa9<+"#),
            ("c", r#"a\b\033'\"\303\251<+"#),
            ("ruby", r#"a\b\e'\"é<+"#),
            ("go", r#"a\b\x1b'\"é<+"#),
            ("go-ascii", r#"a\b\x1b'\"\u00e9<+"#),
            ("rust", r#"a\u{8}\u{1b}'\"é<+"#),
            ("rust-ascii", r#"a\u{8}\u{1b}\'\"\u{e9}<+"#),
            ("java", r#"a\b\u001b'\"\u00e9<+"#),
        ];
        let actual = rows.map(|(form, _)| (form, spelled(form)));
        assert_eq!(actual, rows.map(|(form, text)| (form, text.to_owned())));
    }

    fn spelled(form: &str) -> String {
        let mut all = [MAIN, MORE, RARE].into_iter().flatten();
        let (_, encoding) = all.find(|(name, _)| *name == form).unwrap();
        let mut out = Secret::with_capacity(0);
        encoding.write(VALUE.as_bytes(), &mut out);
        String::from_utf8(out.expose().to_vec()).unwrap()
    }
}
