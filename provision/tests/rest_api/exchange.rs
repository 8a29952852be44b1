//! HTTP/1.1 as far as this takes: a request with a length, a response with a length.

use std::fmt::Write as _;
use std::io::{Read, Write};

use percent_encoding::percent_decode_str;

#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Decoded.
    pub path: String,
    pub raw_path: String,
    /// Names in lower case.
    pub fields: Vec<(String, String)>,
    pub form: Vec<(String, String)>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

pub struct Response {
    pub status: u16,
    pub fields: Vec<(&'static str, String)>,
    pub body: String,
}

impl Response {
    pub fn of(status: u16) -> Self {
        Self { status, fields: Vec::new(), body: String::new() }
    }

    pub fn json(value: &serde_json::Value) -> Self {
        Self { body: value.to_string(), ..Self::of(200) }
    }

    pub fn problem(status: u16, code: u32, message: &str) -> Self {
        let body = serde_json::json!({ "status": status, "code": code, "message": message });
        Self { status, ..Self::json(&body) }
    }
}

/// `None` when the other side has gone.
pub fn read_request(stream: &mut impl Read) -> Option<Request> {
    let mut received = Vec::new();
    let head_end = loop {
        if let Some(at) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        read_more(stream, &mut received)?;
    };
    let head = String::from_utf8(received[..head_end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap().split(' ');
    let (method, raw_path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    let fields: Vec<(String, String)> = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = fields
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse::<usize>().unwrap());
    while received.len() < head_end + 4 + length {
        read_more(stream, &mut received)?;
    }
    let form = form_fields(std::str::from_utf8(&received[head_end + 4..]).unwrap());
    Some(Request {
        method,
        path: percent_decode_str(&raw_path).decode_utf8().unwrap().into_owned(),
        raw_path,
        fields,
        form,
    })
}

fn read_more(stream: &mut impl Read, received: &mut Vec<u8>) -> Option<()> {
    let mut piece = [0; 16 * 1024];
    match stream.read(&mut piece) {
        Ok(0) | Err(_) => None,
        Ok(length) => {
            received.extend_from_slice(&piece[..length]);
            Some(())
        }
    }
}

fn form_fields(form: &str) -> Vec<(String, String)> {
    form.split('&')
        .filter_map(|field| field.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8().unwrap().into_owned()
}

/// Whether the connection goes on.
pub fn write_response(stream: &mut impl Write, response: &Response, break_off: bool) -> bool {
    let Response { status, fields, body } = response;
    let mut text = format!("HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\n");
    for (name, value) in fields {
        write!(text, "{name}: {value}\r\n").unwrap();
    }
    if *status != 204 {
        write!(text, "Content-Length: {}\r\n", body.len()).unwrap();
    }
    text += "\r\n";
    text += if break_off { &body[..body.len() / 2] } else { body };
    stream.write_all(text.as_bytes()).is_ok() && stream.flush().is_ok()
}
