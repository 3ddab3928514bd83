use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Scene;

/// A wire to a PostgreSQL server that can be cut.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    database: String,
    wire: Arc<Wire>,
    accepting: JoinHandle<()>,
}

/// What goes wrong, once, when a client says something.
#[derive(Clone, Debug)]
pub enum Cut {
    /// Half of it arrives, and the connection ends.
    InTheMiddleOf(&'static [u8]),
    /// It arrives, and the connection ends before the answer does.
    BeforeTheAnswerTo(&'static [u8]),
    /// It arrives, and from then on nothing does, on any connection, in any direction, until [`Proxy::heal`].
    AllSilentAfter(&'static [u8]),
}

#[derive(Debug, Default)]
struct Wire {
    cut: Mutex<Option<Cut>>,
    happened: watch::Sender<u64>,
    silent: watch::Sender<bool>,
    resets: watch::Sender<u64>,
}

/// What begins the data of a binary COPY.
pub const COPY_DATA: &[u8] = b"PGCOPY\n";
/// What ends a transaction.
pub const COMMIT: &[u8] = b"COMMIT";

impl Proxy {
    /// Lays a wire to a scene's server.
    ///
    /// # Panics
    ///
    /// If the scene has no server with a socket in a folder, as the tests' own have.
    pub async fn to(scene: &Scene) -> Self {
        let (authority, folder) = scene.url().split_once("?host=").expect("the server has a socket in a folder");
        let (_, database) = authority.rsplit_once('/').expect("the URL names a database");
        let socket = PathBuf::from(folder).join(".s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Arc::<Wire>::default();
        let (address, shared) = (listener.local_addr().unwrap(), Arc::clone(&wire));
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&shared).carry(client, socket.clone()));
            }
        });
        Self { address, database: database.to_owned(), wire, accepting }
    }

    /// Where clients find the server by this wire.
    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/{}", self.address, self.database)
    }

    /// Lets something go wrong, once.
    ///
    /// # Panics
    ///
    /// If another thread panicked.
    pub fn cut(&self, cut: Cut) {
        *self.wire.cut.lock().unwrap() = Some(cut);
    }

    /// Waits until so much has gone wrong.
    ///
    /// # Panics
    ///
    /// If it does not within a minute.
    pub async fn happened(&self, times: u64) {
        let mut happened = self.wire.happened.subscribe();
        let waiting = happened.wait_for(|happened| *happened >= times);
        tokio::time::timeout(std::time::Duration::from_secs(60), waiting).await.expect("it goes wrong").unwrap();
    }

    /// Ends the silence.
    pub fn heal(&self) {
        self.wire.silent.send_replace(false);
    }

    /// Ends the connections that there are, as when a router restarts.
    pub fn reset(&self) {
        self.wire.resets.send_modify(|resets| *resets += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Wire {
    async fn carry(self: Arc<Self>, client: TcpStream, socket: PathBuf) {
        // While all is silent, whoever calls waits.
        let mut silent = self.silent.subscribe();
        let _ = silent.wait_for(|silent| !silent).await;
        let Ok(server) = UnixStream::connect(socket).await else { return };
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        let mut resets = self.resets.subscribe();
        let (answering, answers) = watch::channel(true);
        tokio::select! {
            () = self.carry_requests(from_client, to_server, answering) => {}
            () = self.carry_answers(from_server, to_client, answers) => {}
            _ = resets.changed() => {}
        }
    }

    async fn carry_requests(
        &self,
        mut client: impl AsyncRead + Unpin,
        mut server: impl AsyncWrite + Unpin,
        answering: watch::Sender<bool>,
    ) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = client.read(&mut buffer).await {
            let said = &buffer[..length];
            match self.take_cut(said) {
                None => {
                    if server.write_all(said).await.is_err() {
                        return;
                    }
                }
                Some(Cut::InTheMiddleOf(_)) => {
                    let _ = server.write_all(&said[..length / 2]).await;
                    return;
                }
                Some(Cut::BeforeTheAnswerTo(_)) => {
                    answering.send_replace(false);
                    let _ = server.write_all(said).await;
                    // Until the server has read it and answered to nobody.
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                    return;
                }
                Some(Cut::AllSilentAfter(_)) => {
                    self.silent.send_replace(true);
                    let _ = server.write_all(said).await;
                }
            }
            let _ = self.silent.subscribe().wait_for(|silent| !silent).await;
        }
    }

    async fn carry_answers(
        &self,
        mut server: impl AsyncRead + Unpin,
        mut client: impl AsyncWrite + Unpin,
        answers: watch::Receiver<bool>,
    ) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = server.read(&mut buffer).await {
            let _ = self.silent.subscribe().wait_for(|silent| !silent).await;
            if *answers.borrow() && client.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
    }

    fn take_cut(&self, said: &[u8]) -> Option<Cut> {
        let mut cut = self.cut.lock().unwrap();
        let (Cut::InTheMiddleOf(words) | Cut::BeforeTheAnswerTo(words) | Cut::AllSilentAfter(words)) = cut.as_ref()?;
        said.windows(words.len()).find(|window| window == words)?;
        self.happened.send_modify(|happened| *happened += 1);
        cut.take()
    }
}
