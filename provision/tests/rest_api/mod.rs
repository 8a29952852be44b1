//! The platform's REST API on a loopback address, as it is documented, with faults at will.
//!
//! [`RestApi`] keeps the entries, counts creations and records requests. [`Fault`]s are planned for requests
//! to come with [`RestApi::plan`].

#![allow(dead_code, reason = "each test binary uses a part of it")]

mod exchange;
mod tls;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use base64ct::{Base64, Encoding};

pub use exchange::Request;
use exchange::{Response, read_request, write_response};

pub const ACCOUNT_SID: &str = "AC00000000000000000000000000000001";
pub const AUTH_TOKEN: &str = "t0ken-that-no-output-may-hold";

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This answer in the place of the API's, without effect.
    Answer { status: u16, fields: Vec<(&'static str, String)>, body: String },
    /// The connection ends without an answer, and without effect.
    DropBefore,
    /// The request has its effect, then the connection ends without an answer.
    DropAfter,
    /// The request has its effect, then comes this status.
    FailAfter(u16),
    /// The request has its effect, and the answer breaks off within its body.
    BreakOff,
    /// The answer takes this long.
    Slow(Duration),
    /// Somebody else changes the entry to this value, after the effect and before the answer.
    Overwrite(&'static str),
}

impl Fault {
    pub fn status(status: u16) -> Self {
        Self::Answer { status, fields: Vec::new(), body: String::new() }
    }

    pub fn retry_after(status: u16, retry_after: &str) -> Self {
        Self::Answer { status, fields: vec![("Retry-After", retry_after.to_owned())], body: String::new() }
    }
}

struct Plan {
    method: &'static str,
    /// What the path ends with.
    path_end: String,
    /// How many such requests are let through before.
    skip: usize,
    times: usize,
    fault: Fault,
}

/// Whether `GET` tells if a secret is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SecretReading {
    Metadata,
    /// It answers with this status, whether the secret is there or not.
    Always(u16),
}

struct State {
    entries: HashMap<String, String>,
    creations: HashMap<String, usize>,
    requests: Vec<Request>,
    plans: Vec<Plan>,
    unknown_devices: Vec<String>,
    secret_reading: SecretReading,
    latency: Duration,
    in_flight: usize,
    peak: usize,
}

#[derive(Clone)]
pub struct RestApi {
    address: SocketAddr,
    scheme: &'static str,
    state: Arc<Mutex<State>>,
}

impl RestApi {
    pub fn start() -> Self {
        Self::start_with("http", |stream, state| serve(stream, &state))
    }

    /// With TLS, and a certificate of a CA, whose own certificate is returned as PEM.
    pub fn start_tls() -> (Self, String) {
        let (config, ca) = tls::server_config();
        let api = Self::start_with("https", move |stream, state| serve(tls::accept(stream, &config), &state));
        (api, ca)
    }

    fn start_with(
        scheme: &'static str,
        connection: impl Fn(TcpStream, Arc<Mutex<State>>) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let state = State {
            entries: HashMap::new(),
            creations: HashMap::new(),
            requests: Vec::new(),
            plans: Vec::new(),
            unknown_devices: Vec::new(),
            secret_reading: SecretReading::Metadata,
            latency: Duration::ZERO,
            in_flight: 0,
            peak: 0,
        };
        let api =
            Self { address: listener.local_addr().unwrap(), scheme, state: Arc::new(Mutex::new(state)) };
        let (state, connection) = (Arc::clone(&api.state), Arc::new(connection));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, state, connection) =
                    (stream.unwrap(), Arc::clone(&state), Arc::clone(&connection));
                stream.set_nodelay(true).unwrap();
                std::thread::spawn(move || connection(stream, state));
            }
        });
        api
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The next request with this method, the path of which ends so, goes wrong.
    pub fn plan(&self, method: &'static str, path_end: &str, fault: Fault) {
        self.plan_times(method, path_end, 1, fault);
    }

    pub fn plan_times(&self, method: &'static str, path_end: &str, times: usize, fault: Fault) {
        self.plan_later(method, path_end, 0, times, fault);
    }

    /// As many such requests are let through first.
    pub fn plan_later(&self, method: &'static str, path_end: &str, skip: usize, times: usize, fault: Fault) {
        self.state().plans.push(Plan { method, path_end: path_end.to_owned(), skip, times, fault });
    }

    /// What was planned and did not come to pass.
    pub fn planned(&self) -> usize {
        self.state().plans.len()
    }

    pub fn forget_plans(&self) {
        self.state().plans.clear();
    }

    pub fn forget_device(&self, sid: &str) {
        self.state().unknown_devices.push(sid.to_owned());
    }

    pub fn know_all_devices(&self) {
        self.state().unknown_devices.clear();
    }

    pub fn read_secrets(&self, reading: SecretReading) {
        self.state().secret_reading = reading;
    }

    pub fn answer_after(&self, latency: Duration) {
        self.state().latency = latency;
    }

    /// Somebody else's entry, as a path such as `/v1/Configs/cert`.
    pub fn put(&self, path: &str, value: &str) {
        self.state().entries.insert(path.to_owned(), value.to_owned());
    }

    pub fn entry(&self, path: &str) -> Option<String> {
        self.state().entries.get(path).cloned()
    }

    pub fn entries(&self) -> HashMap<String, String> {
        self.state().entries.clone()
    }

    /// How often each entry was created.
    pub fn creations(&self) -> HashMap<String, usize> {
        self.state().creations.clone()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    /// How many requests were under way at most at a time.
    pub fn peak(&self) -> usize {
        self.state().peak
    }

    pub fn request_count(&self) -> usize {
        self.state().requests.len()
    }

    /// Method and path of each request.
    pub fn log(&self) -> Vec<String> {
        self.state().requests.iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    pub fn forget_requests(&self) {
        self.state().requests.clear();
    }
}

fn serve(mut stream: impl Read + Write, state: &Mutex<State>) {
    while let Some(request) = read_request(&mut stream) {
        let latency = state.lock().unwrap().begin();
        if !latency.is_zero() {
            std::thread::sleep(latency);
        }
        if !serve_one(&mut stream, &request, state) {
            return;
        }
    }
}

/// Whether the connection goes on.
fn serve_one(stream: &mut (impl Read + Write), request: &Request, state: &Mutex<State>) -> bool {
    let mut locked = state.lock().unwrap();
    // Before the answer, after which the next request may come on another connection at once.
    locked.in_flight -= 1;
    locked.requests.push(request.clone());
    let fault = locked.fault_for(request);
    let response = match &fault {
        Some(Fault::DropBefore) => return false,
        Some(Fault::Answer { status, fields, body }) => {
            Response { status: *status, fields: fields.clone(), body: body.clone() }
        }
        _ => locked.carry_out(request),
    };
    if let Some(Fault::Overwrite(value)) = &fault {
        let item = item_of(request);
        locked.entries.insert(item, (*value).to_owned());
    }
    drop(locked);
    match fault {
        Some(Fault::DropAfter) => false,
        Some(Fault::FailAfter(status)) => write_response(stream, &Response::of(status), false),
        Some(Fault::BreakOff) => {
            write_response(stream, &response, true);
            false
        }
        Some(Fault::Slow(length)) => {
            std::thread::sleep(length);
            write_response(stream, &response, false)
        }
        _ => write_response(stream, &response, false),
    }
}

/// The path of the entry that a request is about.
fn item_of(request: &Request) -> String {
    match request.field("Key") {
        Some(key) => format!("{}/{key}", request.path),
        None => request.path.clone(),
    }
}

impl State {
    /// Returns how long to wait.
    fn begin(&mut self) -> Duration {
        self.in_flight += 1;
        self.peak = self.peak.max(self.in_flight);
        self.latency
    }

    fn fault_for(&mut self, request: &Request) -> Option<Fault> {
        let at = self
            .plans
            .iter()
            .position(|plan| request.method == plan.method && item_of(request).ends_with(&plan.path_end))?;
        let plan = &mut self.plans[at];
        if plan.skip > 0 {
            plan.skip -= 1;
            return None;
        }
        let fault = plan.fault.clone();
        plan.times -= 1;
        if plan.times == 0 {
            self.plans.remove(at);
        }
        Some(fault)
    }

    fn carry_out(&mut self, request: &Request) -> Response {
        let expected =
            format!("Basic {}", Base64::encode_string(format!("{ACCOUNT_SID}:{AUTH_TOKEN}").as_bytes()));
        if request.header("authorization") != Some(&expected) {
            return Response::problem(401, 20003, "Authenticate");
        }
        let segments: Vec<&str> = request.raw_path.trim_start_matches('/').split('/').collect();
        let (store, key) = match segments.as_slice() {
            ["v1", "Devices", sid, ..] if self.unknown_devices.iter().any(|unknown| unknown == sid) => {
                return Response::problem(404, 20404, "The requested resource was not found");
            }
            ["v1", "Devices", _, store] | ["v1", store] => (*store, None),
            ["v1", "Devices", _, store, key] | ["v1", store, key] => (*store, Some(*key)),
            _ => return Response::of(404),
        };
        if !matches!(store, "Configs" | "Secrets") {
            return Response::of(404);
        }
        match (request.method.as_str(), key) {
            ("POST", None) => self.create(request),
            ("GET", Some(_)) => self.read(&request.path, store),
            ("DELETE", Some(_)) => match self.entries.remove(&request.path) {
                Some(_) => Response::of(204),
                None => Response::problem(404, 20404, "The requested resource was not found"),
            },
            _ => Response::of(405),
        }
    }

    fn create(&mut self, request: &Request) -> Response {
        if request.header("content-type") != Some("application/x-www-form-urlencoded") {
            return Response::of(415);
        }
        let (Some(key), Some(value)) = (request.field("Key"), request.field("Value")) else {
            return Response::problem(400, 20001, "Key and Value are required");
        };
        if key.is_empty() || key.len() > 100 || value.is_empty() || value.chars().count() > 4096 {
            return Response::problem(400, 20001, &format!("Key or Value is too long: {key} {value}"));
        }
        let item = item_of(request);
        if self.entries.contains_key(&item) {
            return Response::problem(409, 20409, "The key exists already");
        }
        self.entries.insert(item.clone(), value.to_owned());
        *self.creations.entry(item).or_default() += 1;
        Response { status: 201, ..Response::json(&serde_json::json!({ "key": key })) }
    }

    fn read(&self, path: &str, store: &str) -> Response {
        match (self.entries.get(path), store, self.secret_reading) {
            (_, "Secrets", SecretReading::Always(status)) => Response::of(status),
            (None, _, _) => Response::problem(404, 20404, "The requested resource was not found"),
            (Some(_), "Secrets", SecretReading::Metadata) => {
                Response::json(&serde_json::json!({ "key": path, "date_rotated": "2024-01-01T00:00:00Z" }))
            }
            (Some(value), _, _) => Response::json(&serde_json::json!({ "key": path, "value": value })),
        }
    }
}
