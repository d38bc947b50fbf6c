//! Requests in any order, by several people to several instances on one store.
//!
//! People here know every id that anybody was given, and use each other's. Whatever they send, and
//! whenever: nothing panics, every answer is one that the endpoint may give and good JSON-RPC, and
//! no one gets to see what is another's. Everything of a person carries their [mark](people::mark),
//! so it is found wherever it turns up: in an answer, or at a tool that was called for another person.

mod answers;
mod issued_ids;
mod messages;
mod people;
mod shared_store;
mod tools;

use answers::Stream;
use bytes::Bytes;
use futures::executor::block_on;
use http::{Request, Response};
use http_body_util::Full;
use issued_ids::{IssuedIds, Step};
use mcpserver::{Parts, Server, TestEnvironment};
use messages::{Message, Route};
use people::{PEOPLE, Provider, sign_in};
use shared_store::Shared;
use std::sync::Arc;
use std::time::Duration;
use tools::Tools;

/// The bytes that say what one step is.
pub const STEP: usize = 6;

/// Steps that are taken of an input.
const MAX_STEPS: usize = 24;

/// Streams that are open at once.
const MAX_STREAMS: usize = 8;

/// A byte that says whether streams are closed in time, and steps of [`STEP`] bytes: requests of
/// people, and what else happens.
pub fn message_order(data: &[u8]) {
    let Some((settings, steps)) = data.split_first() else {
        return;
    };
    let mut world = World::new(*settings);
    for step in steps.chunks_exact(STEP).take(MAX_STEPS) {
        world.step(&Step {
            who: step[0],
            way: step[1],
            what: step[2],
            pick: step[3],
            odd: step[4],
            how: step[5],
        });
    }
    // From the last, as those that are over go.
    for stream in (0..world.streams.len()).rev() {
        world.read(stream, Duration::from_millis(500));
    }
    // What still runs holds on to the instances, and is held by what they stand on.
    world.environment.kill();
}

struct Fakes;

impl Parts for Fakes {
    type KeyValue = Shared;
    type Identity = Provider;
    type Tools = Tools;
    type Environment = TestEnvironment;
}

/// The instances, and what has happened.
struct World {
    environment: TestEnvironment,
    servers: [Arc<Server<Fakes>>; 2],
    /// Of each person: a token of ours, and one of the provider's.
    tokens: Vec<[String; 2]>,
    known: IssuedIds,
    streams: Vec<Stream>,
    requests: u32,
}

impl World {
    fn new(settings: u8) -> Self {
        let environment = TestEnvironment::default();
        let store = Shared::default();
        let tokens = block_on(sign_in(&store));
        let server = || {
            Server::new(
                people::config(settings % 2 == 1),
                store.clone(),
                Provider(environment.clone()),
                Tools(environment.clone()),
                environment.clone(),
            )
        };
        Self {
            servers: [server(), server()],
            environment,
            tokens,
            known: IssuedIds::default(),
            streams: Vec::new(),
            requests: 0,
        }
    }

    fn step(&mut self, step: &Step) {
        let stream = usize::from(step.pick) % self.streams.len().max(1);
        match step.way % 20 {
            14 | 15 => self.read(stream, Duration::from_millis(200)),
            16 => self.read(stream, Duration::from_secs(3)),
            17 if !self.streams.is_empty() => drop(self.streams.remove(stream)),
            17 => {}
            18 => self.environment.advance(u64::from(step.pick)),
            19 => self.environment.kill(),
            way => self.request(Route::of(way), step),
        }
    }

    fn request(&mut self, way: Route, step: &Step) {
        let person = usize::from(step.who) % PEOPLE.len();
        let server = Arc::clone(&self.servers[usize::from(step.who) / PEOPLE.len() % 2]);
        self.requests += 1;
        let message = Message::compose(way, step, person, self.requests, &self.known);
        let asked = message.ids.iter().map(|id| (id.clone(), person));
        self.known.asked.extend(asked);
        // A stranger's token is their own: only what comes back for it is anybody's data.
        let token = &self.tokens[person][usize::from(step.who / 64 == 3)];
        let (request, sent) = message.into_request(way, step, person, token, &self.known);
        let response = self.send(&server, request);
        let (head, body) = response.into_parts();
        answers::check_head(&head, &sent, &mut self.known);
        self.streams.push(Stream::new(&head, body, sent));
        let newest = self.streams.len() - 1;
        match step.how % 8 {
            // The client goes away, or does not read yet.
            6 => drop(self.streams.pop()),
            7 => {}
            5 => self.read(newest, Duration::from_secs(3)),
            _ => self.read(newest, Duration::from_millis(20)),
        }
        if self.streams.len() > MAX_STREAMS {
            self.streams.remove(0);
        }
    }

    fn send(
        &self,
        server: &Arc<Server<Fakes>>,
        request: Request<Bytes>,
    ) -> Response<mcpserver::Body> {
        let request = request.map(Full::new);
        self.environment.run(server.handle(request))
    }

    /// Reads on in a stream, until it is over or nothing came for so long.
    fn read(&mut self, stream: usize, patience: Duration) {
        let Some(stream) = self.streams.get_mut(stream) else {
            return;
        };
        let environment = &self.environment;
        environment.run(stream.read(environment, patience, &mut self.known));
        self.streams.retain(|stream| !stream.is_over());
    }
}
