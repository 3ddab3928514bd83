use std::fmt;

/// What a vendor answered, as much of it as helps to understand an error: status, request id and the body's beginning.
///
/// A body is untrusted text. It is kept as at most [`Answer::EXCERPT_BYTES`] bytes in which every control character is
/// escaped, so that it can neither fill a log nor forge a line of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    status: Option<u16>,
    request_id: Option<String>,
    excerpt: String,
}

impl Answer {
    /// The most bytes of a body that are kept, counted after escaping.
    pub const EXCERPT_BYTES: usize = 256;
    const REQUEST_ID_BYTES: usize = 64;

    /// Keeps the beginning of `body`.
    pub fn new(status: u16, body: &[u8]) -> Self {
        // An escaped character takes at least as many bytes as it had, so a longer prefix could not show more.
        let prefix = &body[..body.len().min(Self::EXCERPT_BYTES)];
        let excerpt = escape(&String::from_utf8_lossy(prefix), Self::EXCERPT_BYTES);
        Self { status: Some(status), request_id: None, excerpt }
    }

    /// For a request that was not sent, and why.
    pub fn not_sent(reason: &str) -> Self {
        Self { status: None, request_id: None, excerpt: escape(reason, Self::EXCERPT_BYTES) }
    }

    /// Adds the id by which the vendor's support finds the request.
    #[must_use]
    pub fn with_request_id(self, id: Option<&str>) -> Self {
        Self { request_id: id.map(|id| escape(id, Self::REQUEST_ID_BYTES)), ..self }
    }

    /// The HTTP status, if there was one.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// The vendor's id of the request.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The beginning of the body, escaped.
    pub fn excerpt(&self) -> &str {
        &self.excerpt
    }
}

fn escape(text: &str, most_bytes: usize) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        let length = shown.len();
        if character == '"' || character == '\'' {
            shown.push(character);
        } else {
            shown.extend(character.escape_debug());
        }
        if shown.len() > most_bytes {
            shown.truncate(length);
            break;
        }
    }
    shown
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(formatter, "status {status}")?,
            None => formatter.write_str("not sent")?,
        }
        if let Some(id) = &self.request_id {
            write!(formatter, ", request {id}")?;
        }
        if !self.excerpt.is_empty() {
            write!(formatter, ": {}", self.excerpt)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_short_line_whatever_the_body() {
        for body in [
            "x".repeat(1000).into_bytes(),
            "\x1b[31m\r\n\0".repeat(100).into_bytes(),
            "ü\u{202e}".repeat(500).into_bytes(),
            vec![0xff; 1000],
        ] {
            let answer = Answer::new(500, &body);
            assert!(answer.excerpt().len() <= Answer::EXCERPT_BYTES);
            assert!(answer.excerpt().len() > Answer::EXCERPT_BYTES - 12);
            assert!(!answer.excerpt().contains(char::is_control));
        }
    }

    #[test]
    fn an_answer_tells_status_request_and_words() {
        let answer = Answer::new(403, br#"{"message":"forbidden."}"#).with_request_id(Some("a\nb"));
        assert_eq!(answer.to_string(), r#"status 403, request a\nb: {"message":"forbidden."}"#);
    }
}
