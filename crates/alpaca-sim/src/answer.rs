//! What goes back to the caller.

use serde_json::json;

use crate::kept::Encoded;

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// The body as it is sent, if it was encoded already; it then stands for `body`.
    pub(crate) encoded: Option<Encoded>,
}

impl Answer {
    pub(crate) fn json(body: Vec<u8>) -> Self {
        Self { status: 200, content_type: "application/json; charset=UTF-8", headers: Vec::new(), body, encoded: None }
    }

    /// A body that was encoded already, as JSON.
    pub(crate) fn encoded(body: Encoded) -> Self {
        Self { encoded: Some(body), ..Self::json(Vec::new()) }
    }

    /// A refusal as the vendor words it: `{"message": ...}`.
    pub(crate) fn refusal(status: u16, message: &str) -> Self {
        Self { status, ..Self::json(json!({ "message": message }).to_string().into_bytes()) }
    }

    /// A page of the proxy in front of the vendor.
    pub(crate) fn html(status: u16) -> Self {
        let reason = reason(status);
        let page = format!(
            "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n<center><h1>{status} {reason}</h1></center>\r\n</body>\r\n</html>\r\n"
        );
        Self { status, content_type: "text/html", ..Self::json(page.into_bytes()) }
    }

    pub(crate) fn text(status: u16, text: &str) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", ..Self::json(text.as_bytes().to_vec()) }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

/// The phrase of a status.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        414 => "Request-URI Too Large",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        511 => "Network Authentication Required",
        _ => "Unknown",
    }
}
